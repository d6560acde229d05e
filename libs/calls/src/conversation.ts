import type { Listenable } from './listenable.ts';
import type { OperationOptions } from './operation-options.ts';
import type { Joinable } from './party.ts';

/** How a media session ended. */
export interface MediaEnd {
  readonly reason:
    | 'closed'
    | 'provider-ended'
    | 'provider-failed'
    | 'never-attached'
    | 'media-lost'
    | 'relay-stopped'
    | 'relay-lost'
    | 'leg-gone';
  readonly detail?: string | undefined;
}

/** What is told of a conversation. Times are milliseconds since its media session opened. */
export interface ConversationEvents {
  /** Something the caller or the bot said, whole. */
  turn: { readonly role: 'caller' | 'bot'; readonly text: string; readonly startMs: number; readonly endMs: number };
  'speech-started': { readonly atMs: number };
  'speech-stopped': { readonly atMs: number };
  /** The caller cut the bot short; of what it was saying, `unplayedMs` were not heard. */
  interrupted: { readonly atMs: number; readonly unplayedMs: number };
  /** The AI wants something done; `toolResult` answers. With `tools` given to `connect`, those answer, and read these events. */
  'tool-call': { readonly id: string; readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
  /** It is not wanted any more: the caller interrupted. */
  'tool-call-cancelled': { readonly id: string };
  /** Its relay was lost or stopped, or its provider failed: it goes on in another relay, or with the next provider. */
  moved: { readonly relay: string };
}

/** A caller in conversation with a voice AI. Audio flows without the call program. */
export interface Conversation extends Joinable, Listenable<ConversationEvents> {
  /** Who talks now. */
  readonly provider: string;
  /** Waits until the conversation is over: the provider ended it, it failed, or it was closed. */
  ended(options?: OperationOptions): Promise<MediaEnd>;
  /** Answers a `tool-call`, as text for the AI. @throws MediaUnavailableError its relay does not have the session any more */
  toolResult(id: string, result: string): Promise<void>;
  /**
   * Has the bot say this next, in these words as nearly as its AI can: it is told to, and may be interrupted. Resolves when the relay
   * has taken it.
   *
   * @throws MediaUnavailableError the provider has no way to be told, or the conversation is over
   */
  say(text: string): Promise<void>;
  /** Takes the caller out of it. Closing it again changes nothing. */
  close(): Promise<void>;
}

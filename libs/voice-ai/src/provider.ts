import type { AudioFormat, TimeSource } from '@callfleet/media';
import type { VoiceProviderError } from './errors.ts';

/** A voice AI, with its options, as the relay sees it. It serves any number of calls. */
export interface VoiceProvider {
  readonly name: string;
  /** By which its key is known, never the key itself: a variable's name, or a file's. Undefined: it needs none. */
  readonly key?: string | undefined;
  /** What it is sure to say first: a greeting, or an answer to a caller who has said something. Without it, maybe nothing. */
  readonly owes?: 'greeting' | 'answer';
  /**
   * Begins to serve one call. Resolves when the AI can hear.
   *
   * @throws VoiceProviderError CF_PROVIDER_FAILED where the AI refuses or is not there; whatever `signal` was aborted with
   */
  open(context: VoiceContext): Promise<VoiceSession>;
}

/** What the relay gives a provider for one call. */
export interface VoiceContext {
  readonly call: string;
  /**
   * How the leg carries audio. All audio between relay and provider is in it, both ways; a provider whose AI wants another
   * format converts, so that G.711 passes untouched through those that take it.
   */
  readonly format: AudioFormat;
  /** What the caller is going to hear. */
  readonly playout: Playout;
  /** `now()` is 0 when the media session opens: every time that is told is on this clock. */
  readonly time: TimeSource;
  tell(event: VoiceEvent): void;
  /** What was said in the session that this one goes on for: the AI is told, and greets nobody. Empty: it is the first. */
  readonly history: ReadonlyArray<{ readonly role: 'caller' | 'bot'; readonly text: string }>;
  /** Aborted when the media session ends before `open` has resolved. */
  readonly signal: AbortSignal;
}

/** The caller's end of the bot's voice. */
export interface Playout {
  /** Queues audio, of any length, sent as fast as it comes. Keeps `chunk` itself. */
  play(chunk: Uint8Array): void;
  /** Silences the bot at once, for a caller who interrupts. @returns milliseconds that were not played */
  flush(): number;
  /** Milliseconds that wait to be played. */
  readonly queuedMs: number;
  /**
   * Milliseconds of this provider's audio that the caller was really sent. What an AI must be told when it was cut short:
   * the position of an answer is `playedMs + queuedMs` when its first chunk comes.
   */
  readonly playedMs: number;
}

/** One call that a provider serves. */
export interface VoiceSession {
  /** Takes the caller's audio, usually 20 ms at a time, never late. The provider may keep `frame`; must not wait. */
  hear(frame: Uint8Array): void;
  /** The caller pressed a key: `0-9 * # A-D`. */
  digit(key: string): void;
  /** The answer to a `tool-call`, as text for the AI. */
  toolResult(id: string, result: string): void;
  /** Has the bot say this next, in these words as nearly as it can. Only of an AI that can be told. */
  say?(text: string): void;
  /** Ends it; afterwards nothing is played or told. May be called again. Bounded in time by the provider. */
  close(): Promise<void>;
}

/** What a provider tells about a call. After `ended` or `failed` nothing follows. */
export type VoiceEvent =
  | { readonly type: 'speech-started' | 'speech-stopped'; readonly atMs: number }
  /** Something the caller or the bot said, whole. */
  | {
      readonly type: 'turn';
      readonly role: 'caller' | 'bot';
      readonly text: string;
      readonly startMs: number;
      readonly endMs: number;
    }
  /** The caller cut the bot short; of what it was saying, `unplayedMs` were not heard. */
  | { readonly type: 'interrupted'; readonly atMs: number; readonly unplayedMs: number }
  /** The AI wants something done; answered with {@link VoiceSession.toolResult}. */
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly name: string;
      readonly arguments: Readonly<Record<string, unknown>>;
    }
  /** The AI no longer wants it: the caller interrupted. */
  | { readonly type: 'tool-call-cancelled'; readonly id: string }
  /**
   * What the AI says it has used since it said so last, in its own words and units: `{ inputTokens: 812, costUsd: 0.012 }`.
   * Summed up for the call record; what is told after `close` is lost.
   */
  | { readonly type: 'usage'; readonly usage: Readonly<Record<string, number>> }
  /** The AI ended the conversation. */
  | { readonly type: 'ended'; readonly reason: string }
  | { readonly type: 'failed'; readonly error: VoiceProviderError };

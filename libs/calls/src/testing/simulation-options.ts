import type { MediaEnd } from '../conversation.ts';

/** When something is done: `at` a line of the transcript (its beginning, or a pattern) that comes after what was done before, and then `after` so many milliseconds. */
export interface When {
  readonly at?: string | RegExp | undefined;
  readonly after?: number | undefined;
}

/** What somebody on the phone does. */
export type PartyDoing = When &
  (
    | { readonly press: string }
    | { readonly hangUp: true }
    /** Speaks for so long, milliseconds. */
    | { readonly speak: number }
    /** Puts us on hold, or takes us back. */
    | { readonly hold: boolean }
  );

/** What happens in a conversation with a voice AI. */
export type ConversationDoing = When &
  (
    | { readonly caller: string }
    | { readonly bot: string }
    | { readonly toolCall: { readonly name: string; readonly arguments?: Readonly<Record<string, unknown>> } }
    /** The caller cuts the bot short. Tool calls without a result are cancelled. */
    | { readonly interrupt: true }
    | { readonly ends: MediaEnd['reason']; readonly detail?: string }
  );

/** What becomes of a dialled endpoint. `congested`: its trunk takes no more calls. */
export type EndpointAnswer = 'answers' | 'busy' | 'no-answer' | 'rejects' | 'congested' | 'unreachable';

export interface SimulatedEndpoint {
  /** Default `answers`. A blind transfer succeeds only with that. */
  readonly answer?: EndpointAnswer | undefined;
  /** How long it rings before that, milliseconds. Default 1000. */
  readonly afterMs?: number | undefined;
  /** What it does when it has answered, one after the other. */
  readonly does?: readonly PartyDoing[] | undefined;
}

export interface SimulationOptions {
  /** `outbound`: a call that was placed, and has been answered. The caller is then who was called. Default `inbound`. */
  readonly direction?: 'inbound' | 'outbound' | undefined;
  /** `outbound`: what becomes of whom we call, from before it is dialled. Default: it has been answered. */
  readonly callee?: EndpointAnswer | SimulatedEndpoint | undefined;
  readonly caller?:
    | {
        readonly number?: string | undefined;
        readonly name?: string | undefined;
        /** What the caller does from the start, one after the other. */
        readonly does?: readonly PartyDoing[] | undefined;
      }
    | undefined;
  readonly called?: { readonly number?: string | undefined; readonly context?: string | undefined } | undefined;
  readonly args?: readonly string[] | undefined;
  /** Channel variables: those of `call.variables`, and what `getVariable` reads. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** When the call comes in, ISO 8601: `call.now()`. Default 2025-11-21T05:00:00Z. */
  readonly at?: string | undefined;
  /** How long a sound lasts, milliseconds: each (default 1000), or by its name. */
  readonly sounds?: number | Readonly<Record<string, number>> | undefined;
  /** Sounds that the PBX does not have: `sound:nope`. */
  readonly missing?: readonly string[] | undefined;
  /** Who can be dialled. Any other endpoint answers after a second. */
  readonly endpoints?: Readonly<Record<string, EndpointAnswer | SimulatedEndpoint>> | undefined;
  /** By provider, what happens in its conversations, one after the other; or that there is none. By default nothing does. */
  readonly conversations?: Readonly<Record<string, readonly ConversationDoing[] | 'unavailable'>> | undefined;
  /** By the names of steps, what is done instead of them. Other steps are done for real, while simulated time stands still. */
  readonly steps?: Readonly<Record<string, () => unknown>> | undefined;
  /** How long a step that is done for real is waited for before simulated time goes on without it, real milliseconds. Default 3000. */
  readonly stepPatienceMs?: number | undefined;
  /** Of `call.random()`. Default 1. */
  readonly seed?: number | undefined;
}

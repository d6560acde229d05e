import type { CallId } from '@callfleet/identity';

/** A sound to play: `sound:hello-world`, `recording:name`, `digits:42`, `number:42`, `characters:abc`, `tone:busy`. */
export type Media = `${'sound' | 'recording' | 'number' | 'digits' | 'characters' | 'tone'}:${string}`;

export type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '*' | '#' | 'A' | 'B' | 'C' | 'D';

/** What is known of a call when its program starts. It does not change afterwards. */
export interface CallContext {
  /** `<pbx>.<channel>`: the call's name in logs, traces, NATS subjects and the call record. */
  readonly id: CallId;
  /** Name of the Asterisk that the call is on. */
  readonly pbx: string;
  readonly direction: 'inbound' | 'outbound';
  /** As the PBX tells them; empty where the caller withholds them. */
  readonly caller: { readonly number: string; readonly name: string };
  /** The dialled extension, and the dialplan context that it was dialled in. */
  readonly called: { readonly number: string; readonly context: string };
  /** What the dialplan gave to `Stasis(<shard>,...)` after the shard. */
  readonly args: readonly string[];
  /** Channel variables at the start, those that `channelvars` in the PBX's ari.conf names. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface PlayOptions {
  /** Stop when the caller presses a digit. The digit is kept for the next `gather`. Default true. */
  interruptible?: boolean | undefined;
}

export interface SendDtmfOptions {
  /** How long each digit sounds, milliseconds. Default 100. */
  durationMs?: number | undefined;
  /** The pause between digits, milliseconds. Default 100. */
  betweenMs?: number | undefined;
}

export interface GatherOptions {
  /** Played before; a digit stops it. */
  prompt?: Media | readonly Media[] | undefined;
  /** As many digits are enough. Default 1. */
  count?: number | undefined;
  /** A digit that ends the input and is not part of it. Default none. */
  finishKey?: Digit | undefined;
  /** How long to wait for the first digit after the prompt, milliseconds. Default 5000. */
  firstDigitTimeoutMs?: number | undefined;
  /** How long to wait between digits, milliseconds. Default 3000. */
  interDigitTimeoutMs?: number | undefined;
}

export interface Gathered {
  /** What was pressed, without the finish key; may be empty. */
  readonly digits: string;
  readonly reason: 'count' | 'finish-key' | 'timeout';
}

/** How a media session ended. */
export interface MediaEnd {
  readonly reason:
    | 'closed'
    | 'provider-ended'
    | 'provider-failed'
    | 'never-attached'
    | 'media-lost'
    | 'relay-stopped'
    | 'leg-gone';
  readonly detail?: string | undefined;
}

/** A caller in conversation with a voice AI. Audio flows without the call program. */
export interface Conversation {
  readonly provider: string;
  /** Waits until the conversation is over: the provider ended it, it failed, or it was closed. */
  ended(): Promise<MediaEnd>;
  /** Takes the caller out of it. Closing it again changes nothing. */
  close(): Promise<void>;
}

/** Where a call goes on in the dialplan; what is left out stays as it is. */
export interface DialplanTarget {
  context?: string | undefined;
  extension?: string | undefined;
  priority?: number | undefined;
}

/**
 * One call, in the hands of its program.
 *
 * Every method that returns a promise is an *operation*: it is numbered, and carried out at most once. Operations that
 * need the call reject with `CallEndedError` when it ends first; `step`, `now` and `random` work after the end too, so
 * that a program can still save what it learnt. A program reaches the outside world only through operations: what no
 * other does, `step` does.
 */
export interface Call extends CallContext {
  /** Aborted when the call ends. Give it to what runs inside a `step`. */
  readonly signal: AbortSignal;

  /** Answers. Answering again changes nothing. */
  answer(): Promise<void>;

  /** Lets the caller hear ringing, until the answer. */
  ring(): Promise<void>;

  /**
   * Presses digits towards the caller: `0-9 * # A-D`. Resolves when the PBX has begun to send them. The one operation that may
   * be done twice: when gateway and worker die in the same moment, since nothing on the PBX tells that it was done.
   */
  sendDtmf(digits: string, options?: SendDtmfOptions): Promise<void>;

  /** Plays one sound or several in turn. @throws PlaybackFailedError the PBX has no such sound */
  play(media: Media | readonly Media[], options?: PlayOptions): Promise<void>;

  /** Waits for digits. Those pressed early count: they are kept in order from the start of the call. */
  gather(options?: GatherOptions): Promise<Gathered>;

  /**
   * Puts the caller in conversation with a voice AI; resolves when audio can flow.
   *
   * @param provider name of a provider (`echo`, `parrot`, ...)
   * @param options the provider's own; see docs/providers.md
   * @throws MediaUnavailableError no relay has room, or it refused the provider
   */
  connect(provider: string, options?: Readonly<Record<string, unknown>>): Promise<Conversation>;

  /** Sets a channel variable or dialplan function. */
  setVariable(name: string, value: string): Promise<void>;
  /** Undefined where the PBX has no such variable. */
  getVariable(name: string): Promise<string | undefined>;

  /** Waits, milliseconds. */
  sleep(milliseconds: number): Promise<void>;

  /**
   * Does something in the outside world (a look-up, an API call) and gives its result, which must be JSON.
   * Once it has a result it is not done again, whichever worker has the call.
   */
  step<T>(name: string, work: () => Promise<T> | T): Promise<T>;
  /** The time, milliseconds since the epoch: `Date.now()` for call programs. */
  now(): Promise<number>;
  /** From 0 up to 1: `Math.random()` for call programs. */
  random(): Promise<number>;

  /** Hangs up. The call ends; so should the program. */
  hangup(reason?: HangupReason): Promise<void>;
  /** Gives the call back to the dialplan. The call ends for us; so should the program. */
  continueInDialplan(target?: DialplanTarget): Promise<void>;
}

/** What the caller's side is told; Asterisk makes it a Q.850 cause. */
export type HangupReason = 'normal' | 'busy' | 'congestion' | 'no_answer' | 'timeout' | 'rejected' | 'unallocated';

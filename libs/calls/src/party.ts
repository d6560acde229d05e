import type { Listenable } from './listenable.ts';
import type { Digit, Media } from './media.ts';
import type { OperationOptions } from './operation-options.ts';
import type { Recording, RecordOptions } from './recording.ts';

export interface PlayOptions extends OperationOptions {
  /** Stop when a digit is pressed. The digit is kept for the next `gather`. Default true. */
  interruptible?: boolean | undefined;
}

export interface SendDtmfOptions {
  /** How long each digit sounds, milliseconds. Default 100. */
  durationMs?: number | undefined;
  /** The pause between digits, milliseconds. Default 100. */
  betweenMs?: number | undefined;
}

export interface GatherOptions extends OperationOptions {
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
  /** How often to begin again, prompt included, when nothing was pressed. Default 0. */
  retries?: number | undefined;
  /** Played instead of the prompt when it begins again. Default: the prompt. */
  retryPrompt?: Media | readonly Media[] | undefined;
}

export interface Gathered {
  /** What was pressed, without the finish key; may be empty. */
  readonly digits: string;
  readonly reason: 'count' | 'finish-key' | 'timeout';
}

export interface HoldOptions {
  /** Class of music on hold, as the PBX knows it (musiconhold.conf). Default: the channel's own. */
  music?: string | undefined;
}

export interface SnoopOptions {
  /** What is heard by whoever is with the snoop: `in`: the party, `out`: what the party hears. Default `both`. */
  spy?: 'in' | 'out' | 'both' | 'none' | undefined;
  /** Who hears what is said into the snoop: `out`: the party alone, `in`: those with it. Default `none`. */
  whisper?: 'in' | 'out' | 'both' | 'none' | undefined;
}

/** What is told of a channel. `at` is ISO 8601, on Asterisk's clock. */
export interface PartyEvents {
  /** A key was pressed. Reading it here does not take it from `gather`. */
  digit: { readonly at: string; readonly digit: Digit; readonly durationMs: number };
  /** The phone put us on hold, and took us back. */
  hold: { readonly at: string };
  unhold: { readonly at: string };
  /** Speech began and ended, where `setVariable('TALK_DETECT(set)', '')` switched the detection on. */
  'talking-started': { readonly at: string };
  'talking-finished': { readonly at: string; readonly durationMs: number };
  /** Somebody sent one through ARI, `POST /events/user/<name>?source=channel:<id>`. */
  user: { readonly at: string; readonly name: string; readonly data: Readonly<Record<string, unknown>> };
  /** Any other event of the channel, as the PBX told it: `ari.ChannelTalkingStarted`, `ari.ChannelConnectedLine`, ... */
  [other: `ari.${string}`]: Readonly<Record<string, unknown>>;
}

/** Something with a channel on the PBX: it can be joined to a room. */
export interface Joinable {
  /** The PBX's id of its channel. */
  readonly channelId: string;
}

/**
 * Somebody on the phone: the caller, or a leg. Every method that returns a promise is an operation; those of a leg reject with
 * `LegEndedError` when it hangs up first.
 */
export interface Party extends Joinable, Listenable<PartyEvents> {
  /** Plays one sound or several in turn. @throws PlaybackFailedError the PBX has no such sound */
  play(media: Media | readonly Media[], options?: PlayOptions): Promise<void>;

  /** Waits for digits. Those pressed early count: they are kept in order from the start. */
  gather(options?: GatherOptions): Promise<Gathered>;

  /**
   * Presses digits towards the party: `0-9 * # A-D`. Resolves when the PBX has begun to send them. The one operation that may
   * be done twice: when gateway and worker die in the same moment, since nothing on the PBX tells that it was done.
   */
  sendDtmf(digits: string, options?: SendDtmfOptions): Promise<void>;

  /** Lets the party hear music on hold, until `unhold`. */
  hold(options?: HoldOptions): Promise<void>;
  unhold(): Promise<void>;

  /** `in`: what the party says is not heard; `out`: it hears nothing. Default `in`. */
  mute(direction?: 'in' | 'out' | 'both'): Promise<void>;
  unmute(direction?: 'in' | 'out' | 'both'): Promise<void>;

  /** Records what the party says and hears, on the PBX, whatever else is done meanwhile. Resolves when it has begun. */
  record(options?: RecordOptions): Promise<Recording>;

  /** A channel that hears the party, or speaks to it, unnoticed: to be joined to a room with a supervisor, say. */
  snoop(options?: SnoopOptions): Promise<Leg>;

  /** Sets a channel variable or dialplan function. */
  setVariable(name: string, value: string): Promise<void>;
  /** Undefined where the PBX has no such variable. */
  getVariable(name: string): Promise<string | undefined>;

  /** Hangs up. Hanging up again changes nothing. */
  hangup(reason?: HangupReason): Promise<void>;
}

/** How a channel ended: Asterisk's Q.850 cause, where it told one. */
export interface LegEnd {
  readonly cause?: { readonly code: number; readonly text: string } | undefined;
}

/** Another channel of the call: somebody who was dialled, or a snoop. It is hung up when the call ends. */
export interface Leg extends Party {
  /** Waits until it has hung up. */
  ended(options?: OperationOptions): Promise<LegEnd>;
}

/** What the other side is told; Asterisk makes it a Q.850 cause. */
export type HangupReason = 'normal' | 'busy' | 'congestion' | 'no_answer' | 'timeout' | 'rejected' | 'unallocated';

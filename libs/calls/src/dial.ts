import type { TrunkRefusal } from './errors.ts';
import type { Media } from './media.ts';
import type { Leg } from './party.ts';
import type { Room } from './room.ts';

export interface DialOptions {
  /** Several endpoints: all at once, and the first to answer has it; or each in turn. Default `at-once`. */
  order?: 'at-once' | 'in-turn' | undefined;
  /** How long each may ring, milliseconds. Default 30,000. */
  ringTimeoutMs?: number | undefined;
  /** Who is shown to be calling. Default: the caller. */
  callerId?: { readonly number: string; readonly name?: string | undefined } | undefined;
  /** Let the caller hear what the other side plays before it answers. With one endpoint only. Default false. */
  earlyMedia?: boolean | undefined;
  /** Channel variables of the new channels. */
  variables?: Readonly<Record<string, string>> | undefined;
  /** Cancels: what rings is hung up. See `OperationOptions`. */
  signal?: AbortSignal | undefined;
}

export type DialOutcome = 'answered' | 'busy' | 'no-answer' | 'rejected' | 'congested' | 'unreachable' | 'cancelled';

/** What became of one endpoint. */
export interface DialAttempt {
  readonly endpoint: string;
  /** `cancelled`: another one answered first, or the call itself was cancelled. `congested`: not dialled, since its trunk takes no more calls. */
  readonly outcome: DialOutcome;
  readonly cause?: { readonly code: number; readonly text: string } | undefined;
  /** `congested`: why. */
  readonly error?: { readonly code: TrunkRefusal; readonly message: string } | undefined;
}

export type Dialed =
  | { readonly answered: true; readonly leg: Leg; readonly endpoint: string; readonly attempts: readonly DialAttempt[] }
  | {
      readonly answered: false;
      /** The most telling of all attempts: busy before no-answer, rejected, congested, unreachable. */
      readonly reason: Exclude<DialOutcome, 'answered' | 'cancelled'>;
      readonly attempts: readonly DialAttempt[];
    };

export interface TransferOptions extends Omit<DialOptions, 'earlyMedia'> {
  /**
   * `blind`: the caller's own side is asked to call the target (SIP REFER), and the call ends here. `attended`: the target is
   * called while the caller is on hold, and both are joined when it answers. `warm`: as attended, but the target first hears the
   * announcement. Default `attended`.
   */
  kind?: 'blind' | 'attended' | 'warm' | undefined;
  /** `warm`: what the target hears before the two are joined. */
  announcement?: Media | readonly Media[] | undefined;
  /** `warm`: the target accepts by this digit; any other, or none within 10 s, declines. Default: no question. */
  acceptDigit?: string | undefined;
  /** Class of music on hold for the caller. */
  music?: string | undefined;
}

export type Transferred =
  /** `blind`: the other side took it; the call is over. */
  | { readonly transferred: true; readonly kind: 'blind' }
  /** Caller and target talk, until one of them hangs up: `await room.ended()`. */
  | { readonly transferred: true; readonly kind: 'attended' | 'warm'; readonly leg: Leg; readonly room: Room }
  /** The caller is with the program again. */
  | {
      readonly transferred: false;
      readonly reason: Exclude<DialOutcome, 'answered' | 'cancelled'> | 'declined' | 'hung-up';
      readonly attempts: readonly DialAttempt[];
    };

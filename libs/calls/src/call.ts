import type { CallId } from '@callfleet/identity';
import type { Conversation } from './conversation.ts';
import type { Dialed, DialOptions, TransferOptions, Transferred } from './dial.ts';
import type { OperationOptions } from './operation-options.ts';
import type { Joinable, Party } from './party.ts';
import type { Room } from './room.ts';
import type { Tools } from './tool.ts';

/** What is known of a call when its program starts. It does not change afterwards. */
export interface CallContext {
  /** `<pbx>.<channel>`: the call's name in logs, traces, NATS subjects and the call record. */
  readonly id: CallId;
  /** Name of the Asterisk that the call is on. */
  readonly pbx: string;
  readonly direction: 'inbound' | 'outbound';
  /** As the PBX tells them; empty where the caller withholds them. Of an outbound call: who is shown to be calling. */
  readonly caller: { readonly number: string; readonly name: string };
  /** The dialled extension, and the dialplan context that it was dialled in. Of an outbound call: whom we called, in no context. */
  readonly called: { readonly number: string; readonly context: string };
  /** What the dialplan gave to `Stasis(<shard>,...)` after the shard. */
  readonly args: readonly string[];
  /**
   * Channel variables at the start, those that `channelvars` in the PBX's ari.conf names. Of an outbound call: those that it was
   * placed with.
   */
  readonly variables: Readonly<Record<string, string>>;
}

/** Where a call goes on in the dialplan; what is left out stays as it is. */
export interface DialplanTarget {
  context?: string | undefined;
  extension?: string | undefined;
  priority?: number | undefined;
}

/** The provider's own options, and what its AI may have the program do. */
export interface ConnectOptions extends Readonly<Record<string, unknown>> {
  /** They answer the AI's tool calls from the moment it can hear. */
  readonly tools?: Tools | undefined;
  /**
   * Who goes on with the caller when the provider fails, at the start or later, in this order. Each is told what was said before, where
   * its AI can be told, and has the same tools.
   */
  readonly fallbacks?:
    | ReadonlyArray<{ readonly provider: string; readonly options?: Readonly<Record<string, unknown>> | undefined }>
    | undefined;
}

/**
 * One call, in the hands of its program. As a party it is the caller; of an outbound call, who was called and has answered.
 *
 * Every method that returns a promise is an *operation*: it is numbered, and carried out at most once. Operations that
 * need the call reject with `CallEndedError` when it ends first; `step`, `now` and `random` work after the end too, so
 * that a program can still save what it learnt. A program reaches the outside world only through operations: what no
 * other does, `step` does.
 */
export interface Call extends CallContext, Party {
  /** Aborted when the call ends. Give it to what runs inside a `step`. */
  readonly signal: AbortSignal;

  /** Answers. Answering again changes nothing. */
  answer(): Promise<void>;

  /** Lets the caller hear ringing, until the answer. */
  ring(): Promise<void>;

  /**
   * Puts the caller in conversation with a voice AI; resolves when audio can flow.
   *
   * @param provider name of a provider (`echo`, `parrot`, ...)
   * @param options the provider's own, see docs/providers.md, and `tools`
   * @throws MediaUnavailableError no relay has room, or it refused the provider
   */
  connect(provider: string, options?: ConnectOptions, operation?: OperationOptions): Promise<Conversation>;

  /**
   * Calls somebody for the caller: `PJSIP/agent`, `PJSIP/trunk/sip:+4930123@carrier`, `Local/500@queues`. Whoever answers hears
   * nothing before `bridge` or `play`. That nobody answers is a result, not an error.
   */
  dial(endpoint: string | readonly string[], options?: DialOptions): Promise<Dialed>;

  /** Brings the caller and others together, in a room of this call alone. */
  bridge(...parties: Joinable[]): Promise<Room>;

  /** A room of this call without the caller: for two legs, or for a supervisor and a snoop. */
  room(...parties: Joinable[]): Promise<Room>;

  /** The caller joins the room of that name, which all calls of the same PBX share. It is made by the first, and ends with the last. */
  conference(name: string): Promise<Room>;

  /** Brings the caller to somebody else. */
  transfer(target: string | readonly string[], options?: TransferOptions): Promise<Transferred>;

  /** Waits, milliseconds. */
  sleep(milliseconds: number, options?: Pick<OperationOptions, 'signal'>): Promise<void>;

  /**
   * Does something in the outside world (a look-up, an API call) and gives its result, which must be JSON.
   * Once it has a result it is not done again, whichever worker has the call.
   *
   * @param work its signal is aborted when the operation is cancelled or timed out
   */
  step<T>(name: string, work: (signal: AbortSignal) => Promise<T> | T, options?: OperationOptions): Promise<T>;
  /** The time, milliseconds since the epoch: `Date.now()` for call programs. */
  now(): Promise<number>;
  /** From 0 up to 1: `Math.random()` for call programs. */
  random(): Promise<number>;

  /**
   * Does `work` while nobody but the program learns what the caller says and presses: recordings of the call pause, voice AIs hear
   * silence and no keys, and no turns are told. For card numbers. Afterwards, and when it throws, all goes on as before.
   *
   * @throws MediaUnavailableError a relay could not be told: `work` was not begun
   */
  inPrivate<T>(work: () => Promise<T>): Promise<T>;

  /** Gives the call back to the dialplan. The call ends for us; so should the program. */
  continueInDialplan(target?: DialplanTarget): Promise<void>;
}

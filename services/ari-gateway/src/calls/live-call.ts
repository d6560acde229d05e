import type { CallProgress, CommandReply, KeptCall, Offer, ProgramVersion } from '@callfleet/bus';
import { type CallId, partsOfCallId } from '@callfleet/identity';
import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * Commands of one call whose answers are remembered. Only what is under way is ever repeated, after a takeover; a program
 * has far fewer operations under way at once.
 */
const REPLIES_KEPT = 1000;

/** What a gateway remembers of one call of its shard. */
export class LiveCall {
  readonly id: CallId;
  /** Its own channel's id, on the PBX. */
  readonly channelId: string;
  /** Trace context of the call's first span. */
  trace: Context = ROOT_CONTEXT;
  /** What this gateway offered when the call came: it knows all that was made for it. */
  offer: Offer | undefined;
  /** The same, of a call that was there before this gateway. */
  inherited: Offer | undefined;
  /** Its StasisStart was synthesized: the real one, if it comes late, is no new call. */
  wasFound = false;
  /** Who has it: from its claim until it says that nothing is left to do. */
  worker: string | undefined;
  /** Its worker has said that nothing is left to do: it is nobody's any more. */
  isDone = false;
  /** All that have had it, in order. */
  workers: string[] = [];
  /** What runs it, as its worker said: only a worker that has the same can go on with it. */
  program: ProgramVersion | undefined;
  /** How far it has come. */
  progress: CallProgress = {};
  /** The highest epoch that a command came with. */
  epoch = 0;
  /** W3C's traceparent of the last worker's claim. */
  ownerTrace: string | undefined;
  /** Whoever had it placed wants it no more: nothing is dialled for it. */
  isCancelled = false;
  /** Given back to the dialplan: no command may touch it any more. */
  released = false;
  readonly #replies = new Map<string, Promise<CommandReply>>();
  /** Commands whose connection to the PBX was lost before their answer. */
  readonly unanswered = new Set<string>();
  /** The trunk that each of its legs has a place of, by the leg's channel. */
  readonly trunkLegs = new Map<string, string>();
  /** Told once, when it ends. */
  onEnded: (() => void) | undefined;
  #endedAt: number | undefined;
  #seq = 0;

  constructor(id: CallId) {
    this.id = id;
    this.channelId = partsOfCallId(id)?.channelId ?? '';
  }

  /** When the call's channel was gone, milliseconds since the epoch. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** Its channel is gone; or, of a call that we place, there will be none. */
  end(): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = Date.now();
    this.onEnded?.();
  }

  /** @param program unknown where another than the worker says so */
  claimedBy(worker: string, program: ProgramVersion | undefined): void {
    this.worker = worker;
    this.isDone = false;
    if (this.workers.at(-1) !== worker) this.workers.push(worker);
    this.program = program ?? this.program;
  }

  /** What workers were offered; filed again when the one that took it is gone. */
  get knownOffer(): Offer | undefined {
    return this.offer ?? this.inherited;
  }

  /** What is to be kept for a gateway after this one; undefined of what is no offered call. */
  get kept(): KeptCall | undefined {
    const { knownOffer: offer, worker, ownerTrace, workers, program, epoch } = this;
    if (!offer) return undefined;
    const trunkLegs = Object.fromEntries(this.trunkLegs);
    return { offer, worker, ownerTrace, workers, program, epoch, ...(this.trunkLegs.size > 0 && { trunkLegs }) };
  }

  /** Takes over what an earlier gateway knew. What a worker has said since counts more. */
  inherit({ offer, worker, ownerTrace, workers, program, epoch, trunkLegs = {} }: KeptCall, trace: Context): void {
    this.inherited = offer;
    for (const [channelId, trunk] of Object.entries(trunkLegs)) this.trunkLegs.set(channelId, trunk);
    this.trace = trace;
    this.ownerTrace ??= ownerTrace;
    const since = this.workers.filter((one, n) => n > 0 || one !== workers.at(-1));
    this.workers = [...workers, ...since];
    this.worker ??= this.epoch > epoch ? undefined : worker;
    this.program ??= program;
    this.epoch = Math.max(this.epoch, epoch);
  }

  /** The answer to this command, if it was executed: a repeat is answered, not executed. */
  replyTo(id: string): Promise<CommandReply> | undefined {
    return this.#replies.get(id);
  }

  remember(id: string, reply: Promise<CommandReply>): void {
    this.#replies.set(id, reply);
    if (this.#replies.size <= REPLIES_KEPT) return;
    const [oldest] = this.#replies.keys();
    if (oldest !== undefined) this.#replies.delete(oldest);
  }

  forget(id: string): void {
    this.#replies.delete(id);
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }
}

/** A call is remembered this long after its end, for late events and repeated commands, milliseconds. */
const LINGER_MS = 60_000;

/** The calls of one shard. */
export class LiveCalls {
  readonly #calls = new Map<string, LiveCall>();

  /** The call, made known when it was not: a gateway that took a shard over learns its calls this way. */
  get(id: CallId): LiveCall {
    const known = this.#calls.get(id);
    if (known) return known;
    const call = new LiveCall(id);
    this.#calls.set(id, call);
    return call;
  }

  /** The call, if it is known. */
  find(id: CallId): LiveCall | undefined {
    return this.#calls.get(id);
  }

  /** Those that were offered, and have not ended. */
  unended(): LiveCall[] {
    return [...this.#calls.values()].filter((call) => call.knownOffer && call.endedAt === undefined);
  }

  /** Those that have legs on trunks: these may be there for longer than their callers. */
  withTrunkLegs(): LiveCall[] {
    return [...this.#calls.values()].filter(({ trunkLegs }) => trunkLegs.size > 0);
  }

  /** Calls that have not ended. */
  get live(): number {
    let live = 0;
    for (const call of this.#calls.values()) if (call.endedAt === undefined) live += 1;
    return live;
  }

  /** Calls that have not ended, or whose worker is not done with them. */
  get busy(): number {
    let busy = 0;
    for (const call of this.#calls.values()) if (call.endedAt === undefined || call.worker !== undefined) busy += 1;
    return busy;
  }

  forgetEnded(now: number): void {
    for (const [id, call] of this.#calls)
      if (call.endedAt !== undefined && call.worker === undefined && now - call.endedAt > LINGER_MS)
        this.#calls.delete(id);
  }
}

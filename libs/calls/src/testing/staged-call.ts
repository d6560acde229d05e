import type { AriRequest } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import type { CallContext } from '../call.ts';
import type { CallProgram } from '../define-call.ts';
import type { CallHost, KnownMediaSession, MediaRequest, OpenMediaSession, PbxAnswer } from '../runtime/call-host.ts';
import { type CallOutcome, CallRuntime } from '../runtime/call-runtime.ts';
import type { JournalEntry } from '../runtime/journal.ts';
import type { SimulatedClock } from './simulated-clock.ts';

const MAX_CALL_MS = 4 * 3_600_000;
const MAX_AFTER_CALL_MS = 60_000;

/** What a PBX answers: as ARI does, 204 and no body for most. */
export interface Answer {
  readonly status: number;
  readonly reason?: string;
  readonly body?: unknown;
}

/** One worker's life with the call. What it does after its death never happens. */
interface Owner {
  readonly runtime: CallRuntime;
  readonly outcome: PromiseWithResolvers<CallOutcome>;
  alive: boolean;
}

/**
 * A call in the hands of the real runtime, in simulated time; what the PBX and the relays are is the subclass's. Its owner can
 * be killed at any step, and another takes over: with the same journal, events, and memory of commands.
 */
export abstract class StagedCall {
  readonly journal: JournalEntry[] = [];
  /** The owner dies at this step: steps are commands, requests to relays, and what is written to the journal. */
  killAtStep = Number.POSITIVE_INFINITY;
  steps = 0;
  protected readonly clock: SimulatedClock;
  readonly #context: CallContext;
  readonly #dial: CallHost['dial'];
  readonly #remembered = new Map<string, Promise<PbxAnswer<unknown>>>();
  readonly #past: CallEvent[] = [];
  #owner: Owner | undefined;
  #program: CallProgram | undefined;
  #epoch = 0;
  #seq = 0;
  /** Turns of the event loop that a new owner needs to read the journal. */
  #turns = 0;

  /** @param dial what is dialled before the program begins: the call is one that we place */
  constructor(context: CallContext, clock: SimulatedClock, dial?: CallHost['dial']) {
    this.#context = context;
    this.#dial = dial;
    this.clock = clock;
  }

  /** @param operation its number, or a word for what the runtime does by itself */
  protected abstract carryOut(request: AriRequest<unknown>, operation: string): Promise<Answer>;
  protected abstract openMedia(session: string, provider: string, request: MediaRequest): Promise<OpenMediaSession>;
  protected abstract knownMedia(session: string, relay: string): KnownMediaSession;

  /** Around every operation. */
  protected operation<T>(_name: string, _number: number, work: () => Promise<T>): Promise<T> {
    return work();
  }

  /** The owner lets some time pass before it acts. */
  protected onTimer(_milliseconds: number): void {}

  /** The call's runtime in the hands of its present owner. */
  get runtime(): CallRuntime {
    this.#owner ??= this.#newOwner();
    return this.#owner.runtime;
  }

  /** Rises with each owner of the call. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @returns the outcome, whoever has the call at its end */
  protected runProgram(program: CallProgram): Promise<CallOutcome> {
    this.#program = program;
    this.#owner ??= this.#newOwner();
    return this.#start(this.#owner);
  }

  /** The owner is dead, if it was not yet; another takes the call over. */
  takeOver(): void {
    const dead = this.#owner;
    if (!dead) throw new Error('nobody has the call');
    dead.alive = false;
    this.journal.push({ kind: 'taken', worker: 'next', epoch: this.#epoch + 1 });
    this.#owner = this.#newOwner();
    this.#turns = this.journal.length;
    for (const event of this.#past) this.#owner.runtime.deliver(event);
    dead.outcome.resolve(this.#start(this.#owner));
  }

  /** Another gateway has the shard: it does not know what was carried out. */
  protected forgetAnswers(): void {
    this.#remembered.clear();
  }

  get isOwnerAlive(): boolean {
    return this.#owner?.alive ?? false;
  }

  /** Lets what is ready happen, then moves the clock, firing timers in their order. */
  async advance(milliseconds: number): Promise<void> {
    await this.settle();
    const until = this.clock.now() + milliseconds;
    while (this.clock.fireNext(until)) await this.settle();
    this.clock.moveTo(until);
  }

  /** Enough turns of the event loop for every promise that is ready. */
  protected async settle(): Promise<void> {
    const turns = this.#turns;
    this.#turns = 0;
    await settle(turns + SETTLING_TURNS);
  }

  /** An event of the call, as a gateway (`StasisEnd`, `call.cancelled`) or a relay (`media.turn`) tells it. */
  tell(type: string, data: Record<string, unknown>): void {
    this.#seq += 1;
    const isOurs = /^(media|call)\./.test(type);
    const event: CallEvent = {
      id: String(this.#seq),
      call: this.#context.id,
      source: 'gateway-1',
      seq: this.#seq,
      at: new Date(this.clock.now()).toISOString(),
      type: isOurs ? type : `ari.${type}`,
      data: isOurs ? data : { type, ...data },
    };
    this.#past.push(event);
    if (this.#owner?.alive !== false) this.runtime.deliver(event);
  }

  async #start(owner: Owner): Promise<CallOutcome> {
    const outcome = await Promise.race([owner.outcome.promise, owner.runtime.run(this.#program as CallProgram)]);
    // A dead owner's end is the end that its successor sees.
    return owner.alive && outcome ? outcome : owner.outcome.promise;
  }

  #newOwner(): Owner {
    this.#epoch += 1;
    const owner = { alive: true, outcome: Promise.withResolvers<CallOutcome>() } as Owner & { runtime: CallRuntime };
    const { clock } = this;
    const host: CallHost = {
      app: 'callfleet-1',
      dial: this.#dial,
      connectTimeoutMs: 8000,
      maxCallMs: MAX_CALL_MS,
      maxAfterCallMs: MAX_AFTER_CALL_MS,
      epoch: this.#epoch,
      clock: {
        now: () => clock.now(),
        after: (milliseconds, action) => {
          if (!owner.alive) return () => {};
          this.onTimer(milliseconds);
          const isWatch = milliseconds === MAX_CALL_MS || milliseconds === MAX_AFTER_CALL_MS;
          return clock.after(milliseconds, () => owner.alive && action(), isWatch);
        },
      },
      journal: {
        before: [...this.journal],
        append: (entry) => this.#step(owner, async () => void this.journal.push(structuredClone(entry))),
      },
      command: <T>(id: string, request: AriRequest<T>) =>
        this.#step(owner, () => this.#command(id, request) as Promise<PbxAnswer<T>>),
      openMedia: (session, provider, request) => this.#step(owner, () => this.openMedia(session, provider, request)),
      knownMedia: (session, relay) => {
        const known = this.knownMedia(session, relay);
        return {
          relay,
          order: (order) => this.#step(owner, () => known.order(order)),
          close: (reason) => this.#step(owner, () => known.close(reason)),
        };
      },
      operation: (name, number, work) => (owner.alive ? this.operation(name, number, work) : new Promise(() => {})),
    };
    owner.runtime = new CallRuntime(this.#context, host);
    return owner;
  }

  /** Something that leaves the owner, and comes back. It may die before, or before it hears of the answer. */
  async #step<T>(owner: Owner, action: () => Promise<T>): Promise<T> {
    const never = new Promise<T>(() => {});
    if (!this.#survives(owner)) return never;
    const result = await action();
    return this.#survives(owner) ? result : never;
  }

  #survives(owner: Owner): boolean {
    if (owner.alive) {
      this.steps += 1;
      owner.alive = this.steps !== this.killAtStep;
    }
    return owner.alive;
  }

  /** A repeat is answered from memory, as the gateway does. */
  #command(id: string, request: AriRequest<unknown>): Promise<PbxAnswer<unknown>> {
    const known = this.#remembered.get(id);
    if (known) return known;
    const operation = id.slice(0, id.indexOf(` ${request.method} `));
    const answer = this.carryOut(request, operation).then(({ status, reason = '', body }) => ({
      status,
      reason,
      body,
    }));
    this.#remembered.set(id, answer);
    return answer;
  }
}

const SETTLING_TURNS = 5;

/** Turns of the event loop: five are enough for every promise that is ready. */
export async function settle(turns = SETTLING_TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as realTime } from 'node:timers/promises';
import type { AriRequest } from '@callfleet/ari';
import { callIdOf } from '@callfleet/identity';
import { type CallProgram, defineCall } from '../define-call.ts';
import { CallEndedError } from '../errors.ts';
import type { CallHost, KnownMediaSession, OpenMediaSession } from '../runtime/call-host.ts';
import type { CallOutcome } from '../runtime/call-runtime.ts';
import { type OwnTime, withTime } from './own-time.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimulatedParty } from './simulated-channel.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedConversation } from './simulated-conversation.ts';
import { SimulatedPbx } from './simulated-pbx.ts';
import { farEnd, type SimulatedWorld, SimulationError } from './simulated-world.ts';
import type { ConversationDoing, PartyDoing, SimulationOptions } from './simulation-options.ts';
import { type Answer, StagedCall } from './staged-call.ts';
import { fits, Transcript, type TranscriptEntry, wordsOf } from './transcript.ts';

const PBX = 'pbx-a';
const CHANNEL = '1763701200.12';
const DEFAULT_START = '2025-11-21T05:00:00Z';
const STEP_PATIENCE_MS = 3000;
const RING_TIMEOUT_MS = 30_000;
const WAIT_LIMIT_MS = 60_000;
const END_LIMIT_MS = 600_000;

/** Operations that only wait or look: nothing that they ask of the PBX tells of them. */
const TOLD_BY_NAME =
  /^((leg\.)?(gather|next .*|ended)|step .*|now|random|conversation\.(ended|close|next .*)|recording\..*|private\..*|room\.(ended|close))$/;

/**
 * Runs a call program on a simulated PBX, with a scripted caller, in simulated time: nothing is real but the program and its
 * steps. Time passes only in `waitFor`, `advance` and `ended`.
 *
 * @example
 * const call = simulateCall(program, { caller: { number: '4930123' } });
 * await call.waitFor('play sound:hello-world');
 * call.press('1');
 * const outcome = await call.ended();
 * expect(call.transcript).toContain('0.000 connect parrot');
 */
export function simulateCall(program: CallProgram, options: SimulationOptions = {}): SimulatedCall {
  return new SimulatedCall(program, options);
}

/** What a worker's machine tells a program that looks at the time and at chance by itself. */
export interface Machine {
  /** By how much its clock is ahead of simulated time, milliseconds. */
  readonly aheadMs: number;
  readonly random: () => number;
}

export interface SimulatedTakeover {
  /** The worker dies there, and the next takes over. */
  readonly killAtStep: number;
  /** The machine of the first worker, the second, ... */
  readonly machineOf: (owner: number) => Machine;
}

export interface EndOptions {
  readonly withinMs?: number | undefined;
  readonly otherwise?: (() => void) | undefined;
}

/** A call that {@link simulateCall} runs: what the caller and the others do is up to the test. */
export class SimulatedCall extends StagedCall implements SimulatedParty {
  /** What the program threw, as it threw it. */
  thrown: unknown;
  readonly #options: SimulationOptions;
  readonly #transcript: Transcript;
  readonly #pbx: SimulatedPbx;
  readonly #world: SimulatedWorld;
  readonly #random: SeededRandom;
  readonly #conversations = new Map<string, SimulatedConversation>();
  readonly #operations = new Map<string, string>();
  /** Operations that are in the transcript by their names. */
  readonly #told = new Set<number>();
  readonly #current = new AsyncLocalStorage<{ name: string; number: number }>();
  /** Steps that are done for real, now. */
  readonly #realWork = new Set<Promise<unknown>>();
  readonly #outcome: Promise<CallOutcome>;
  #hasEnded = false;
  #killedAfter: string | undefined;
  /** How much of the transcript was waited for. */
  #seen = 0;

  constructor(program: CallProgram, options: SimulationOptions, takeover?: SimulatedTakeover) {
    const clock = new SimulatedClock(startOf(options));
    const { direction = 'inbound', caller = {}, called = {}, args = [], variables = {} } = options;
    super(
      {
        id: callIdOf(PBX, CHANNEL),
        pbx: PBX,
        direction,
        caller: { number: caller.number ?? '', name: caller.name ?? '' },
        called: { number: called.number ?? '100', context: called.context ?? (dialOf(options) ? '' : 'default') },
        args,
        variables,
      },
      clock,
      dialOf(options),
    );
    this.killAtStep = takeover?.killAtStep ?? Number.POSITIVE_INFINITY;
    this.#options = options;
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#transcript = new Transcript(() => clock.now());
    const tell = (type: string, data: Record<string, unknown>) => this.tell(type, data);
    this.#world = { clock, options, tell, transcript: this.#transcript };
    this.#pbx = new SimulatedPbx(this.#world, CHANNEL);
    if (!dialOf(options)) this.#pbx.caller.tell('StasisStart');
    this.#outcome = this.runProgram(this.#observed(program, takeover?.machineOf));
    this.#outcome.finally(() => {
      this.#hasEnded = true;
    });
    if (caller.does) this.does(caller.does);
  }

  /** What was done, with its time in seconds: `0.000 answer`, `2.100 caller presses 1`. */
  get transcript(): readonly string[] {
    return this.#transcript.lines;
  }

  /** The simulated time, milliseconds since the epoch. */
  get now(): number {
    return this.clock.now();
  }

  /** What was done last when the worker died. */
  get killedAfter(): string | undefined {
    return this.#killedAfter;
  }

  /** The transcript for machines. */
  get entries(): readonly TranscriptEntry[] {
    return this.#transcript.entries;
  }

  /** The leg to an endpoint that the program has dialled: the last, if there were several. @throws SimulationError */
  leg(endpoint: string): SimulatedParty {
    return this.#pbx.leg(endpoint);
  }

  press(digits: string): void {
    this.#pbx.caller.press(digits);
  }

  speak(milliseconds: number): void {
    this.#pbx.caller.speak(milliseconds);
  }

  hold(isOnHold = true): void {
    this.#pbx.caller.hold(isOnHold);
  }

  userEvent(name: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.#pbx.caller.userEvent(name, data);
  }

  hangUp(): void {
    this.#pbx.caller.hangUp();
  }

  /** Whom we call does it from the answer on. */
  does(doings: readonly PartyDoing[]): void {
    this.#pbx.onceThere(() => this.#pbx.caller.does(doings));
  }

  /** Lets something happen in the present conversation: `{ caller: 'hello' }`, `{ bot: 'goodbye' }`, `{ ends: 'provider-ended' }`. @throws SimulationError */
  inConversation(doing: ConversationDoing): void {
    const conversation = [...this.#conversations.values()].at(-1);
    if (!conversation || conversation.isOver) throw new SimulationError('the caller is in no conversation');
    conversation.act(doing);
  }

  /**
   * Lets time pass until something is done that was not waited for before: a line of the transcript without its time, its
   * beginning (`play`), or a pattern.
   *
   * @throws SimulationError it is not done within that time (default one minute), or can't be any more
   */
  async waitFor(wanted: string | RegExp, { withinMs = WAIT_LIMIT_MS } = {}): Promise<void> {
    const until = this.clock.now() + withinMs;
    for (;;) {
      await this.settle();
      const entries = this.#transcript.entries;
      const found = entries.findIndex((entry, n) => n >= this.#seen && fits(wordsOf(entry), wanted));
      if (found >= 0) {
        this.#seen = found + 1;
        return;
      }
      if (this.#hasEnded) throw this.#failure(`the call ended before "${wanted}"`);
      if (this.#isStuck()) throw this.#failure(`"${wanted}" will not come: ${this.#whyStuck()}`);
      if (!this.clock.fireNext(until)) throw this.#failure(`"${wanted}" did not come within ${withinMs} ms`);
    }
  }

  /**
   * Lets time pass until the call is over, and the program with it.
   *
   * @param options `withinMs` of simulated time (default ten minutes); `otherwise` is done when the call does not end by itself,
   *   in that time or ever: by default that is an error
   * @throws SimulationError
   */
  async ended({ withinMs = END_LIMIT_MS, otherwise }: EndOptions = {}): Promise<CallOutcome> {
    const until = this.clock.now() + withinMs;
    for (;;) {
      await this.settle();
      if (this.#hasEnded) return this.#outcome;
      const isOver = this.#pbx.caller.isOver;
      const isStuck = this.#isStuck();
      if (!isStuck && this.clock.fireNext(isOver ? Number.POSITIVE_INFINITY : until)) continue;
      if (!otherwise)
        throw this.#failure(`the call does not end${isStuck ? `: ${this.#whyStuck()}` : ` within ${withinMs} ms`}`);
      otherwise();
    }
  }

  /** Lets everything that is ready happen, steps that are done for real too, while simulated time stands. A dead worker is followed by the next. */
  protected override async settle(): Promise<void> {
    for (let before = -1; before !== this.#activity || !this.isOwnerAlive; ) {
      before = this.#activity;
      if (!this.isOwnerAlive) this.#carryOn();
      await super.settle();
      if (this.#realWork.size > 0) await this.#realWorkDone();
    }
  }

  /** Rises with everything that the program does and is told. */
  get #activity(): number {
    return this.steps + this.journal.length + this.#transcript.entries.length;
  }

  protected override operation<T>(name: string, number: number, work: () => Promise<T>): Promise<T> {
    // What the runtime does by itself has number 0.
    if (number > 0) this.#operations.set(String(number), name);
    if (number > 0 && TOLD_BY_NAME.test(name)) this.#tellOnce(number, name);
    return this.#current.run({ name, number }, () => {
      if (name === 'random') return Promise.resolve(this.#random.at(number) as T);
      if (!name.startsWith('step ')) return work();
      const replaced = this.#options.steps?.[name.slice('step '.length)];
      return this.#real(withTime(this.#timeOf(number), replaced ? async () => replaced() as T : work));
    });
  }

  protected override onTimer(milliseconds: number): void {
    const operation = this.#current.getStore();
    if (operation?.name === 'sleep') this.#tellOnce(operation.number, `sleep ${milliseconds} ms`);
  }

  protected override async carryOut(request: AriRequest<unknown>, operation: string): Promise<Answer> {
    return this.#pbx.answer(request, this.#operations.get(operation));
  }

  protected override async openMedia(session: string, provider: string): Promise<OpenMediaSession> {
    const known = this.#conversations.get(session);
    const conversation = known ?? new SimulatedConversation(this.#world, session, provider);
    this.#conversations.set(session, conversation);
    if (!known) this.#transcript.add('program', `connect ${provider}`);
    return conversation.open();
  }

  protected override knownMedia(session: string, relay: string): KnownMediaSession {
    const conversation = this.#conversations.get(session);
    if (!conversation) throw new SimulationError(`no relay has the session ${session}`);
    return { relay, ...conversation.known() };
  }

  /** An operation that its next owner carries on is not another one. */
  #tellOnce(operation: number, what: string): void {
    if (this.#told.has(operation)) return;
    this.#told.add(operation);
    this.#transcript.add('program', what);
  }

  #carryOn(): void {
    this.#killedAfter ??= this.transcript.at(-1);
    this.takeOver();
  }

  /** As the runtime runs it; what it throws is kept. */
  #observed(program: CallProgram, machineOf?: (owner: number) => Machine): CallProgram {
    return defineCall(async (call) => {
      const machine = machineOf?.(this.epoch);
      try {
        if (!machine) await program.run(call);
        else await withTime({ now: () => this.now + machine.aheadMs, random: machine.random }, () => program.run(call));
      } catch (error) {
        if (!(error instanceof CallEndedError)) this.thrown = error;
        throw error;
      }
    });
  }

  /** What a step finds when time and chance are not the real ones: the same, whoever does it. */
  #timeOf(operation: number): OwnTime {
    let drawn = 0;
    const random = () => {
      drawn += 1;
      return this.#random.at(1000 * operation + drawn);
    };
    return { now: () => this.now, random };
  }

  #real<T>(work: Promise<T>): Promise<T> {
    const done: Promise<unknown> = work.catch(() => {}).finally(() => this.#realWork.delete(done));
    this.#realWork.add(done);
    return work;
  }

  /** One step is done, or takes so long that it is not waited for any more. */
  async #realWorkDone(): Promise<void> {
    const patience = new AbortController();
    const tooLong = realTime(this.#options.stepPatienceMs ?? STEP_PATIENCE_MS, 'too long', {
      signal: patience.signal,
    }).catch(() => undefined);
    const first = await Promise.race([tooLong, ...this.#realWork]);
    patience.abort();
    if (first === 'too long') this.#realWork.clear();
  }

  #isStuck(): boolean {
    return !this.clock.hasTimers && !this.#pbx.caller.isOver;
  }

  #whyStuck(): string {
    return (
      'the program waits, and nothing more is scripted to happen. Let somebody press, speak or hang up; ' +
      'and let the program wait with call.sleep(), not with timers of its own'
    );
  }

  #failure(what: string): SimulationError {
    const journal = this.journal.findLast((entry) => entry.kind === 'failure');
    const told = journal?.kind === 'failure' ? `\nThe last error that it was told: ${journal.error.message}` : '';
    const thrown = this.thrown === undefined ? '' : `\nThe program threw: ${String(this.thrown)}`;
    return new SimulationError(`${what}.${thrown}${told}\nWhat was done:\n${indented(this.transcript)}`);
  }
}

function startOf({ at = DEFAULT_START }: SimulationOptions): number {
  const start = Date.parse(at);
  if (Number.isNaN(start)) throw new SimulationError(`"at" is no time: "${at}"; accepted: ISO 8601, ${DEFAULT_START}`);
  return start;
}

/** What is dialled before the program begins; undefined of a call that is there. */
function dialOf(options: SimulationOptions): CallHost['dial'] {
  if (farEnd(options) === 'caller') return undefined;
  const { called, caller, variables = {} } = options;
  const { number, name } = caller ?? {};
  return {
    endpoint: called?.number ?? '100',
    ringTimeoutMs: RING_TIMEOUT_MS,
    ...(number !== undefined && { callerId: { number, name } }),
    variables,
  };
}

function indented(lines: readonly string[]): string {
  return lines.length === 0 ? '  nothing' : lines.map((line) => `  ${line}`).join('\n');
}

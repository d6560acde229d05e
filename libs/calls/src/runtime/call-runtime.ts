import { channels } from '@callfleet/ari';
import { advance, type CallEvent, type CallProgress } from '@callfleet/bus';
import { partsOfCallId } from '@callfleet/identity';
import type { CallContext } from '../call.ts';
import type { CallProgram } from '../define-call.ts';
import type { DialAttempt } from '../dial.ts';
import {
  CallEndedError,
  CallError,
  CallTakenOverError,
  ProgramDivergedError,
  ProgramStuckError,
  ProgramTimedOutError,
} from '../errors.ts';
import { abortable } from './abortable.ts';
import { CallEvents } from './call-events.ts';
import type { CallHost } from './call-host.ts';
import { CallScope } from './call-scope.ts';
import { FollowedChannel } from './followed-channel.ts';
import { adoptLeftovers } from './leftovers.ts';
import { Operation } from './operation.ts';
import { OperationLog } from './operation-log.ts';
import { hangUpOriginated, isCancellation, originate } from './outbound-dial.ts';
import { partyMaker } from './party-maker.ts';
import { END_LIMIT_MS, type EndedBy, ProgramCall } from './program-call.ts';

/** How a call ended, for its record. */
export interface CallOutcome extends CallProgress {
  readonly endedBy: EndedBy;
  /** What became of whom we called; absent of a call that came in, or where nobody can say. */
  readonly dialed?: DialAttempt['outcome'] | undefined;
  readonly error?: { readonly code: string; readonly message: string };
  /** How many digits were pressed. */
  readonly digits: number;
}

/** Why a call goes back to the dialplan without its program's wish. */
type GivenBack = 'PROGRAM_FAILED' | 'PROGRAM_DIVERGED' | 'PROGRAM_STUCK';

/** The cause comes a moment after the end, milliseconds. */
const CAUSE_LIMIT_MS = 500;

/** Runs one call program from its start, or from where an earlier owner of the call stood, to the end of everything made for it. */
export class CallRuntime {
  readonly #host: CallHost;
  readonly #caller: FollowedChannel;
  readonly #events = new CallEvents();
  readonly #log: OperationLog;
  readonly #scope: CallScope;
  readonly #call: ProgramCall;
  /** Aborted at once when the call is over; the program's own signal when it is told so. */
  readonly #over = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #progress: CallProgress = {};
  #endedBy: EndedBy = 'caller';
  #dialed: DialAttempt | undefined;

  constructor(context: CallContext, host: CallHost) {
    const parts = partsOfCallId(context.id);
    if (!parts) throw new TypeError(`"${context.id}" is no call id`);
    this.#caller = new FollowedChannel(parts.channelId);
    this.#host = host;
    const told = new AbortController();
    const over = this.#over.signal;
    this.#log = new OperationLog({ host, over, onEnded: () => told.abort(new CallEndedError()) });
    this.#failed.promise.catch(() => {});
    this.#scope = new CallScope({
      id: context.id,
      caller: this.#caller,
      host,
      events: this.#events,
      log: this.#log,
      over,
      fail: this.#failed.reject,
    });
    this.#call = new ProgramCall({
      context,
      scope: this.#scope,
      makes: partyMaker(this.#scope),
      signal: told.signal,
      onEnding: (by) => {
        this.#endedBy = by;
      },
    });
  }

  get id(): CallContext['id'] {
    return this.#call.id;
  }

  /** Tells the call one of its events, in order. */
  deliver(event: CallEvent): void {
    this.#caller.hear(event);
    this.#progress = advance(this.#progress, event, this.#caller.id);
    this.#events.deliver(event);
    if (this.#progress.endedAt !== undefined && !this.#over.signal.aborted) {
      this.#log.end();
      this.#over.abort(new CallEndedError());
    }
  }

  /** This worker does not act for the call any more: another has it, or shall have it. */
  abandon(why: string): void {
    const reason = new CallTakenOverError(why);
    this.#log.stop(reason);
    this.#over.abort(reason);
  }

  /**
   * Runs the program to its end, ends the call if it is still there, and removes everything made for it.
   *
   * @returns undefined when the call is another worker's by then
   */
  async run(program: CallProgram): Promise<CallOutcome | undefined> {
    const stopWatching = this.#watch();
    // A program that does not notice that its part is over is left behind.
    const running = Promise.race([this.#runProgram(program), this.#log.stopping]);
    await this.#log.replay();
    const error = (await running) ?? this.#log.stopped;
    stopWatching();
    if (this.#log.stopped instanceof CallTakenOverError) return undefined;
    return this.#finish(error);
  }

  /**
   * Ends the call without its program, which can't be asked any more: gives it back to the dialplan, and removes what was
   * made for it.
   *
   * @param error what ended the program
   * @returns undefined when the call is another worker's by then
   */
  async giveUp(error: Error): Promise<CallOutcome | undefined> {
    adoptLeftovers(this.#scope);
    const outcome = await this.#finish(error);
    return this.#log.stopped ? undefined : outcome;
  }

  async #finish(error: unknown): Promise<CallOutcome> {
    const isError = error !== undefined && !this.#over.signal.aborted && !this.#isCancelled(error);
    const isUnwanted = this.#endedBy === 'unanswered' || this.#isCancelled(error);
    if (this.#host.dial && (isError || isUnwanted)) await this.#hangUp();
    else if (isError) await this.#giveBack(statusOf(error));
    await this.#cleanUp();
    const { cause } = this.#dialed ?? {};
    // The gateway's word may come after that of the PBX.
    const isCancelled = this.#isCancelled(error);
    const dialed = isCancelled && this.#dialed?.outcome !== 'answered' ? 'cancelled' : this.#dialed?.outcome;
    return {
      ...(cause && { cause }),
      ...this.#progress,
      endedBy: isCancelled ? 'cancelled' : isError ? 'error' : this.#endedBy,
      ...(dialed && { dialed }),
      ...(error !== undefined && !isCancelled && { error: describe(error) }),
      digits: this.#call.digits.total,
    };
  }

  /** Whoever had it placed ended it, and not its program by then. */
  #isCancelled(error: unknown): boolean {
    if (this.#dialed?.outcome === 'cancelled') return true;
    if (!this.#host.dial || !this.#events.has(isCancellation)) return false;
    if (this.#dialed?.outcome !== 'answered') return true;
    return error === undefined && this.#endedBy === 'caller';
  }

  /** @returns what it failed with; a program that lets the call's end pass has not failed */
  async #runProgram(program: CallProgram): Promise<unknown> {
    try {
      if (!(await this.#isAnswered())) return undefined;
      await Promise.race([program.run(this.#call), this.#failed.promise]);
      if (!this.#call.signal.aborted) await this.#call.hangup();
    } catch (error) {
      if (!(error instanceof CallEndedError)) return error ?? new Error('the program threw nothing');
    }
    return undefined;
  }

  /** Of a call that we place, when that is known; one that came in is its program's to answer. */
  async #isAnswered(): Promise<boolean> {
    const { dial } = this.#host;
    if (!dial) return true;
    this.#dialed = await originate(this.#scope, dial);
    if (this.#dialed.outcome === 'answered') return true;
    this.#endedBy = 'unanswered';
    return false;
  }

  /** Ends a program that goes on for too long, with its call or after it. @returns stops */
  #watch(): () => void {
    const { clock, maxCallMs, maxAfterCallMs } = this.#host;
    const tooLong = (what: string) => this.#log.stop(new ProgramTimedOutError(`the program ${what}`));
    let cancel = clock.after(maxCallMs, () => tooLong(`had its call for ${maxCallMs} ms`));
    const onOver = () => {
      cancel();
      cancel = clock.after(maxAfterCallMs, () => tooLong(`went on for ${maxAfterCallMs} ms after its call`));
    };
    this.#over.signal.addEventListener('abort', onOver, { once: true });
    return () => {
      this.#over.signal.removeEventListener('abort', onOver);
      cancel();
    };
  }

  /** No caller is left in silence: the dialplan reads why in CALLFLEET_STATUS. */
  async #giveBack(status: GivenBack): Promise<void> {
    await this.#onOwnAccount('give back', async (operation) => {
      const channelId = this.#caller.id;
      try {
        await operation.commandOk(channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value: status }));
        await operation.commandOk(channels.continueInDialplan({ channelId }));
        await this.#isOverWithin(END_LIMIT_MS);
      } catch {
        await operation.command(channels.hangup({ channelId, reason: 'congestion' })).catch(() => {});
      }
    });
  }

  /** Of a call that we placed: no dialplan would know what to do with it. */
  async #hangUp(): Promise<void> {
    if (this.#over.signal.aborted) return;
    await this.#onOwnAccount('hang up', async (operation) => {
      const isThere = await hangUpOriginated(operation, this.#scope);
      // A channel that is gone answers so a moment before its last event is read.
      if (isThere || this.#events.has((event) => !isCancellation(event))) await this.#isOverWithin(END_LIMIT_MS);
    }).catch(() => {});
  }

  async #cleanUp(): Promise<void> {
    // What is still being made must be there, or have failed, before it can be removed.
    await this.#log.settled();
    await this.#onOwnAccount('end', async (operation) => {
      await this.#scope.removeAll(operation);
      await this.#causeKnown();
    });
  }

  /** What the runtime does beside the program: not in the journal, and done anew by every owner. */
  #onOwnAccount(name: string, work: (operation: Operation) => Promise<void>): Promise<void> {
    const operation = new Operation({ host: this.#host, name, key: `${name} ${this.#host.epoch}` });
    return this.#host.operation(name, 0, () => work(operation));
  }

  async #isOverWithin(limitMs: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const cancel = this.#host.clock.after(limitMs, timer.resolve);
    await abortable(timer.promise, this.#over.signal).catch(() => {});
    cancel();
  }

  async #causeKnown(): Promise<void> {
    if (!this.#progress.hangingUp || this.#progress.cause) return;
    const limit = new AbortController();
    const cancel = this.#host.clock.after(CAUSE_LIMIT_MS, () => limit.abort());
    await this.#events.first(() => this.#progress.cause !== undefined, limit.signal).catch(() => {});
    cancel();
  }
}

function statusOf(error: unknown): GivenBack {
  if (error instanceof ProgramDivergedError) return 'PROGRAM_DIVERGED';
  return error instanceof ProgramStuckError ? 'PROGRAM_STUCK' : 'PROGRAM_FAILED';
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  return { code: 'CF_PROGRAM_FAILED', message: error instanceof Error ? error.message : String(error) };
}

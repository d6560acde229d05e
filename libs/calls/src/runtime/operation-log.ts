import {
  CallEndedError,
  CallTakenOverError,
  ProgramDivergedError,
  type ProgramTimedOutError,
  TimedOutError,
} from '../errors.ts';
import type { OperationOptions } from '../operation-options.ts';
import { abortable } from './abortable.ts';
import type { CallHost } from './call-host.ts';
import type { InputQueue } from './input-queue.ts';
import type { JournalEntry } from './journal.ts';
import { journaledError, revivedError } from './journaled-error.ts';
import { Operation } from './operation.ts';

export interface OperationSpec<Kept, Told> {
  readonly name: string;
  /** Carries it out, against the PBX, a relay or the outside world. Not called when the journal has its result. */
  readonly work: (operation: Operation) => Promise<Kept>;
  /** `call`: it is over when the call is. */
  readonly needs: 'call' | 'nothing';
  /** Makes what the program gets of what is kept. */
  readonly revive: (kept: Kept) => Told;
  readonly options?: OperationOptions | undefined;
  /** Takes back what the work has begun, when the operation is cancelled or takes too long. May be done more than once. */
  readonly undo?: ((operation: Operation) => Promise<unknown>) | undefined;
  /** What the work reads with `operation.take()`. */
  readonly inputs?: InputQueue<unknown> | undefined;
}

/** What its results are does not matter to the log. */
type AnySpec = Omit<OperationSpec<unknown, unknown>, 'revive'>;

interface Asked {
  readonly name: string;
  readonly needs: 'call' | 'nothing';
  readonly inputs: InputQueue<unknown> | undefined;
  begin(): void;
  resolve(kept: unknown): void;
  reject(error: unknown): void;
}

type Told = Extract<JournalEntry, { kind: 'result' | 'failure' | 'ended' }>;

/** Why nothing is told to a program any more. */
export type LogStop = CallTakenOverError | ProgramDivergedError | ProgramTimedOutError;

/**
 * The operations that a call program asks for, numbered, and everything that it is told about them, in the journal before
 * it is told. After a takeover the program asks again from the top, is told the same in the same order, and so stands where
 * it stood; what had no result by then is carried on.
 */
export class OperationLog {
  readonly #host: CallHost;
  readonly #over: AbortSignal;
  readonly #onEnded: () => void;
  readonly #asked = new Map<number, Asked>();
  /** Cancelled by the program before it was told their results. */
  readonly #cancelled = new Set<number>();
  readonly #notes = new Map<number, unknown>();
  /** Had taken too long when an earlier owner died. */
  readonly #timedOut = new Set<number>();
  readonly #working = new Set<Promise<unknown>>();
  readonly #live = Promise.withResolvers<void>();
  #isLive = false;
  /** What begins now was under way, perhaps, when an earlier owner died. */
  #isResuming = false;
  #telling: Promise<void>;
  #count = 0;
  #ended = false;
  readonly #stopping = Promise.withResolvers<LogStop>();
  #stopped: LogStop | undefined;

  constructor(options: {
    host: CallHost;
    /** Aborted when the call is over, though the program may not be told yet: nothing that needs it is begun. */
    over: AbortSignal;
    /** The program is told that the call is over. */
    onEnded: () => void;
  }) {
    this.#host = options.host;
    this.#over = options.over;
    this.#onEnded = options.onEnded;
    this.#telling = this.#live.promise;
    for (const entry of this.#host.journal.before)
      if (entry.kind === 'note') this.#notes.set(entry.operation, entry.value);
      else if (entry.kind === 'timed-out') this.#timedOut.add(entry.operation);
  }

  /** Why nothing is told any more, if it is so: the call is another's, or the program's part is over. */
  get stopped(): LogStop | undefined {
    return this.#stopped;
  }

  /** Resolves when nothing is told any more. */
  get stopping(): Promise<LogStop> {
    return this.#stopping.promise;
  }

  /** Resolves when the program has been told all that the journal has. */
  get whenLive(): Promise<void> {
    return this.#live.promise;
  }

  /** Of the operation that is asked for next. */
  get nextNumber(): number {
    return this.#count + 1;
  }

  /** Keeps something for an operation, also when it is long done. */
  async note(operation: number, value: unknown): Promise<void> {
    await this.#append({ kind: 'note', operation, value });
  }

  /** What an earlier owner noted for the operation that is asked for next. */
  get nextNote(): unknown {
    return this.#notes.get(this.#count + 1);
  }

  /** The one way of every operation. */
  ask<Kept, T>(spec: OperationSpec<Kept, T>): Promise<T> {
    const { name, needs, revive, inputs } = spec;
    const signal = spec.options?.signal;
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#ended && needs === 'call') return Promise.reject(new CallEndedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#count += 1;
    const number = this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // A program need not wait for everything that it asks for.
    promise.catch(() => {});
    let operation: Operation | undefined;
    const onAbort = () => this.#cancel(number, spec, operation, signal?.reason);
    const leave = () => signal?.removeEventListener('abort', onAbort);
    const asked: Asked = {
      name,
      needs,
      inputs,
      begin: () => {
        if (needs === 'call' && this.#over.aborted) return;
        operation = this.#operation(number, spec);
        const carriedOut = this.#timedOut.has(number)
          ? this.#carryOutTimeout(number, spec, operation)
          : this.#carryOut(number, spec, operation);
        this.#follow(carriedOut, needs);
      },
      resolve: (kept) => {
        leave();
        resolve(revive(kept as Kept));
      },
      reject: (error) => {
        leave();
        reject(error);
      },
    };
    this.#asked.set(number, asked);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (this.#isLive) asked.begin();
    return promise;
  }

  /** Tells the program what the journal has, then goes live. Call it when the program has begun. */
  async replay(): Promise<void> {
    for (const entry of this.#host.journal.before) {
      if (!isTold(entry)) continue;
      await turn();
      if (this.#stopped) return;
      this.#deliver(entry, true);
    }
    await turn();
    this.#isLive = true;
    this.#isResuming = this.#host.epoch > 1;
    for (const asked of [...this.#asked.values()]) asked.begin();
    this.#isResuming = false;
    this.#live.resolve();
  }

  /** The call is over: whatever waits and needs it is told so. */
  end(): void {
    this.#tell({ kind: 'ended' });
  }

  /** Nothing more is told: the program's operations all reject with this. */
  stop(reason: LogStop): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#stopping.resolve(reason);
    for (const asked of this.#asked.values()) asked.reject(reason);
    this.#asked.clear();
    this.#live.resolve();
  }

  /** Resolves when nothing is being carried out on the PBX or in a relay. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  /** What only reaches the outside world may outlive the call; the rest must be over before it can be cleaned up. */
  #follow(work: Promise<unknown>, needs: Asked['needs']): void {
    if (needs === 'nothing') return;
    const done: Promise<unknown> = work.finally(() => this.#working.delete(done));
    this.#working.add(done);
  }

  #operation(number: number, { name, needs, inputs }: AnySpec): Operation {
    return new Operation({
      host: this.#host,
      name,
      key: String(number),
      noted: this.#notes.get(number),
      mayBeUnderWay: this.#isResuming,
      keep: (value) => this.#append({ kind: 'note', operation: number, value }),
      inputs,
      over: needs === 'call' ? this.#over : undefined,
    });
  }

  async #carryOut(number: number, spec: AnySpec, operation: Operation): Promise<void> {
    const { name, options } = spec;
    const limit = options?.timeoutMs;
    const cancelLimit =
      limit === undefined
        ? () => {}
        : this.#host.clock.after(limit, () => operation.abort(TimedOutError.of(name, limit)));
    const work = this.#host.operation(name, number, () => spec.work(operation));
    try {
      const value = asKept(await abortable(work, operation.signal));
      const read = operation.read;
      this.#tell({ kind: 'result', operation: number, name, value, ...(read > 0 && { read }) }, operation);
    } catch (error) {
      operation.unread();
      if (error instanceof CallTakenOverError) this.stop(error);
      else {
        if (operation.isAborted && spec.undo) await this.#takeBack(number, spec, operation, work);
        this.#tell({ kind: 'failure', operation: number, name, error: journaledError(error) });
      }
    } finally {
      cancelLimit();
    }
    await work.catch(() => {});
  }

  /** Before the program is told: whoever takes the call over then has nothing to take back. */
  async #takeBack(number: number, spec: AnySpec, operation: Operation, work: Promise<unknown>): Promise<void> {
    // Or the end of what is stopped now would look like its success to the next owner.
    if (this.#asked.has(number))
      await this.#append({ kind: 'timed-out', operation: number }).catch((error: LogStop) => this.stop(error));
    await work.catch(() => {});
    await this.#undo(spec, operation);
  }

  async #carryOutTimeout(number: number, spec: AnySpec, operation: Operation): Promise<void> {
    const { name, options } = spec;
    await this.#undo(spec, operation);
    const error = journaledError(TimedOutError.of(name, options?.timeoutMs ?? 0));
    this.#tell({ kind: 'failure', operation: number, name, error });
  }

  /** The program does not want it any more. After a takeover it may have been begun by an earlier owner. */
  #cancel(number: number, spec: AnySpec, operation: Operation | undefined, reason: unknown): void {
    const asked = this.#asked.get(number);
    if (!asked) return;
    this.#asked.delete(number);
    this.#cancelled.add(number);
    asked.reject(reason);
    if (operation) operation.abort(reason);
    else if (spec.undo) {
      const undone = this.#live.promise.then(() => this.#undo(spec, this.#operation(number, spec)));
      this.#follow(undone, spec.needs);
    }
  }

  async #undo(spec: AnySpec, operation: Operation): Promise<void> {
    if (this.#stopped) return;
    try {
      await spec.undo?.(operation);
    } catch (error) {
      // What can't be taken back now is removed at the call's end.
      if (error instanceof CallTakenOverError) this.stop(error);
    }
  }

  /** One after the other: kept first, told then; and the program may react before it is told the next. */
  #tell(entry: Told, operation?: Operation): void {
    this.#telling = this.#telling.then(async () => {
      if (!this.#isAwaited(entry)) return operation?.unread();
      await this.#append(entry).catch((error: CallTakenOverError) => this.stop(error));
      if (!this.#isAwaited(entry)) return;
      this.#deliver(entry, false);
      await turn();
    });
  }

  #isAwaited(entry: Told): boolean {
    if (this.#stopped) return false;
    return entry.kind === 'ended' ? !this.#ended : this.#asked.has(entry.operation);
  }

  async #append(entry: JournalEntry): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    await this.#host.journal.append(entry);
  }

  #deliver(entry: Told, isReplay: boolean): void {
    if (entry.kind === 'ended') {
      this.#ended = true;
      this.#onEnded();
      for (const [number, asked] of this.#asked)
        if (asked.needs === 'call') {
          this.#asked.delete(number);
          asked.reject(new CallEndedError());
        }
      return;
    }
    if (this.#cancelled.has(entry.operation)) return;
    const asked = this.#asked.get(entry.operation);
    if (asked?.name !== entry.name) {
      this.stop(new ProgramDivergedError(entry.operation, entry.name, asked?.name));
      return;
    }
    this.#asked.delete(entry.operation);
    if (entry.kind === 'failure') asked.reject(revivedError(entry.error));
    else {
      if (isReplay) asked.inputs?.drop(entry.read ?? 0);
      asked.resolve(entry.value);
    }
  }
}

function isTold(entry: JournalEntry): entry is Told {
  return entry.kind === 'result' || entry.kind === 'failure' || entry.kind === 'ended';
}

/** As it will be read from the journal: told so the first time too, or a replay would tell something else. */
function asKept(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
}

/** Lets everything happen that is ready: the program runs until it waits for an operation. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { CallEndedError, CallTakenOverError, ProgramDivergedError } from '../errors.ts';
import type { CallHost } from './call-host.ts';
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
}

interface Asked {
  readonly name: string;
  readonly needs: 'call' | 'nothing';
  begin(): void;
  resolve(kept: unknown): void;
  reject(error: Error): void;
}

type Told = Extract<JournalEntry, { kind: 'result' | 'failure' | 'ended' }>;

/**
 * The operations that a call program asks for, numbered, and everything that it is told about them, in the journal before
 * it is told. After a takeover the program asks again from the top, is told the same in the same order, and so stands where
 * it stood; what had no result by then is carried on.
 */
export class OperationLog {
  readonly #host: CallHost;
  readonly #onReplayedDigits: (count: number) => void;
  readonly #isOver: () => boolean;
  readonly #onEnded: () => void;
  readonly #asked = new Map<number, Asked>();
  readonly #notes = new Map<number, unknown>();
  readonly #working = new Set<Promise<void>>();
  readonly #live = Promise.withResolvers<void>();
  #isLive = false;
  #telling: Promise<void>;
  #count = 0;
  #ended = false;
  #stopped: CallTakenOverError | ProgramDivergedError | undefined;

  constructor(options: {
    host: CallHost;
    /** A replayed operation has read so many of the digits that were pressed. */
    onReplayedDigits: (count: number) => void;
    /** The call is over, though the program may not be told yet: nothing that needs it is begun. */
    isOver: () => boolean;
    /** The program is told that the call is over. */
    onEnded: () => void;
  }) {
    this.#host = options.host;
    this.#onReplayedDigits = options.onReplayedDigits;
    this.#isOver = options.isOver;
    this.#onEnded = options.onEnded;
    this.#telling = this.#live.promise;
    for (const entry of this.#host.journal.before)
      if (entry.kind === 'note') this.#notes.set(entry.operation, entry.value);
  }

  /** Why nothing is told any more, if it is so: the call is another's, or the program does not fit its journal. */
  get stopped(): CallTakenOverError | ProgramDivergedError | undefined {
    return this.#stopped;
  }

  /** What an earlier owner noted for the operation that is asked for next. */
  get nextNote(): unknown {
    return this.#notes.get(this.#count + 1);
  }

  /** The one way of every operation. */
  ask<Kept, T>({ name, work, needs, revive }: OperationSpec<Kept, T>): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#ended && needs === 'call') return Promise.reject(new CallEndedError());
    this.#count += 1;
    const number = this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const asked: Asked = {
      name,
      needs,
      begin: () => {
        if (needs === 'nothing' || !this.#isOver()) this.#begin(number, name, work);
      },
      resolve: (kept) => resolve(revive(kept as Kept)),
      reject,
    };
    this.#asked.set(number, asked);
    if (this.#isLive) asked.begin();
    return promise;
  }

  /** Tells the program what the journal has, then goes live. Call it when the program has begun. */
  async replay(): Promise<void> {
    for (const entry of this.#host.journal.before) {
      await turn();
      if (this.#stopped) return;
      if (entry.kind !== 'note' && entry.kind !== 'taken') this.#deliver(entry, true);
    }
    await turn();
    this.#isLive = true;
    for (const asked of [...this.#asked.values()]) asked.begin();
    this.#live.resolve();
  }

  /** The call is over: whatever waits and needs it is told so. */
  end(): void {
    this.#tell({ kind: 'ended' });
  }

  /** Nothing more is told: the program's operations all reject with this. */
  stop(reason: CallTakenOverError | ProgramDivergedError): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    for (const asked of this.#asked.values()) asked.reject(reason);
    this.#asked.clear();
    this.#live.resolve();
  }

  /** Resolves when nothing is being carried out. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  #begin<Kept>(number: number, name: string, work: (operation: Operation) => Promise<Kept>): void {
    const done = this.#carryOut(number, name, work).finally(() => this.#working.delete(done));
    this.#working.add(done);
  }

  async #carryOut<Kept>(number: number, name: string, work: (operation: Operation) => Promise<Kept>): Promise<void> {
    const operation = new Operation({
      host: this.#host,
      name,
      key: String(number),
      noted: this.#notes.get(number),
      keep: (value) => this.#append({ kind: 'note', operation: number, value }),
    });
    try {
      const value = asKept(await this.#host.operation(name, number, () => work(operation)));
      this.#tell({ kind: 'result', operation: number, name, value, ...digitsOf(operation) });
    } catch (error) {
      if (error instanceof CallTakenOverError) this.stop(error);
      else
        this.#tell({ kind: 'failure', operation: number, name, error: journaledError(error), ...digitsOf(operation) });
    }
  }

  /** One after the other: kept first, told then; and the program may react before it is told the next. */
  #tell(entry: Told): void {
    this.#telling = this.#telling.then(async () => {
      if (!this.#isAwaited(entry)) return;
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
    const asked = this.#asked.get(entry.operation);
    if (asked?.name !== entry.name) {
      this.stop(new ProgramDivergedError(entry.operation, entry.name, asked?.name));
      return;
    }
    this.#asked.delete(entry.operation);
    if (isReplay) this.#onReplayedDigits(entry.digits ?? 0);
    if (entry.kind === 'result') asked.resolve(entry.value);
    else asked.reject(revivedError(entry.error));
  }
}

/** As it will be read from the journal: told so the first time too, or a replay would tell something else. */
function asKept(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
}

function digitsOf({ digits }: Operation): { digits?: number } {
  return digits === 0 ? {} : { digits };
}

/** Lets everything happen that is ready: the program runs until it waits for an operation. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

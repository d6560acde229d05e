import type { LiveCall } from './live-call.ts';

export interface WorkerWatchOptions {
  /** Asked again and again about each worker that has a call. A false alarm is harmless: epochs protect. */
  readonly isGone: (worker: string) => Promise<boolean>;
  /** The call's worker is gone. Told once for each loss. */
  readonly onLost: (call: LiveCall) => void;
  /** Default 250 ms. */
  readonly everyMs?: number;
}

/** Notices workers that died: O(workers) questions, however many calls they have. */
export class WorkerWatch {
  readonly #options: WorkerWatchOptions;
  readonly #calls = new Map<string, Set<LiveCall>>();
  readonly #asking = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: WorkerWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#askAll(), options.everyMs ?? 250);
  }

  watch(worker: string, call: LiveCall): void {
    const calls = this.#calls.get(worker) ?? new Set();
    this.#calls.set(worker, calls.add(call));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #askAll(): void {
    for (const [worker, calls] of this.#calls) {
      for (const call of calls) if (call.worker !== worker) calls.delete(call);
      if (calls.size === 0) this.#calls.delete(worker);
      else if (!this.#asking.has(worker)) void this.#ask(worker, calls);
    }
  }

  async #ask(worker: string, calls: ReadonlySet<LiveCall>): Promise<void> {
    this.#asking.add(worker);
    const gone = await this.#options.isGone(worker).catch(() => false);
    this.#asking.delete(worker);
    if (gone) for (const call of calls) if (call.worker === worker) this.#options.onLost(call);
  }
}

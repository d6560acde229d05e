/** Something that serves one after another what comes to it, in the order in which it comes: a process with one thread, or a server with several. */
export class Station {
  /** When each thread is free again, milliseconds. */
  readonly #freeAt: Float64Array;
  readonly #busyMs: Float64Array;

  constructor(threads: number) {
    this.#freeAt = new Float64Array(threads);
    this.#busyMs = new Float64Array(threads);
  }

  /** @returns when it is through with it: it may have to wait for its turn */
  serve(at: number, ms: number): number {
    const thread = this.#firstFree();
    const until = Math.max(at, this.#freeAt[thread] ?? 0) + ms;
    this.#freeAt[thread] = until;
    this.#busyMs[thread] = (this.#busyMs[thread] ?? 0) + ms;
    return until;
  }

  /** All threads together, milliseconds. */
  get busyMs(): number {
    return this.#busyMs.reduce((sum, ms) => sum + ms, 0);
  }

  #firstFree(): number {
    let first = 0;
    for (let thread = 1; thread < this.#freeAt.length; thread += 1)
      if ((this.#freeAt[thread] ?? 0) < (this.#freeAt[first] ?? 0)) first = thread;
    return first;
  }
}

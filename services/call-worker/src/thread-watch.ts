/** How often the main thread looks after its program threads, milliseconds. */
export const CHECK_EVERY_MS = 100;

/** Notices that one thread stands still. */
export class ThreadWatch {
  readonly #stuckAfterMs: number;
  #beats: number | undefined;
  #checkedAt = 0;
  #silentMs = 0;

  constructor(stuckAfterMs: number) {
    this.#stuckAfterMs = stuckAfterMs;
  }

  /** For how long the thread has not beaten, as far as this one looked. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /**
   * @param now a clock, milliseconds
   * @param beats what the thread has counted by now
   * @returns whether it stands still
   */
  check(now: number, beats: number): boolean {
    // If the watching thread stood still itself, or the whole process did, then the time in between proves nothing.
    const passed = Math.min(now - this.#checkedAt, 2 * CHECK_EVERY_MS);
    this.#silentMs = beats === this.#beats ? this.#silentMs + passed : 0;
    this.#beats = beats;
    this.#checkedAt = now;
    return this.#silentMs >= this.#stuckAfterMs;
  }
}

const STEP_MS = 0.1;
const STEPS = 5000;

/** How long things took, in steps of 0.1 ms up to 500 ms: adding costs nothing, and it fits into a message between processes. */
export class LatencyHistogram {
  readonly #counts: Uint32Array;

  /** @param counts of another one */
  constructor(counts: readonly number[] = []) {
    this.#counts = new Uint32Array(STEPS);
    this.#counts.set(counts);
  }

  add(ms: number): void {
    const step = Math.min(STEPS - 1, Math.max(0, Math.floor(ms / STEP_MS)));
    this.#counts[step] = (this.#counts[step] as number) + 1;
  }

  /** Of each step, up to the last that has any. */
  get counts(): number[] {
    const last = this.#counts.findLastIndex((count) => count > 0);
    return Array.from(this.#counts.subarray(0, last + 1));
  }

  /** What this share (0..1) did not exceed, milliseconds, rounded up to 0.1; NaN of nothing. */
  quantileMs(share: number): number {
    const wanted = share * this.#counts.reduce((sum, count) => sum + count, 0);
    if (wanted === 0) return Number.NaN;
    let seen = 0;
    const step = this.#counts.findIndex((count) => {
      seen += count;
      return seen >= wanted;
    });
    return Math.round((step + 1) * STEP_MS * 10) / 10;
  }
}

const BUCKET_MS = 0.25;
const BUCKETS = 400;

/**
 * How late frames were sent: one value per slot of a {@link PacingClock} and frame, taken when its last session was
 * served, so of the one that waited longest. A histogram of 0.25 ms steps up to 100 ms: adding costs nothing.
 */
export class PacingError {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  add(lateMs: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(lateMs / BUCKET_MS)));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count += 1;
    if (lateMs > this.#maxMs) this.#maxMs = lateMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The lateness that this share (0..1) of the frames did not exceed, milliseconds, rounded up to 0.25; 0 for none. */
  quantileMs(share: number): number {
    if (this.#count === 0) return 0;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] as number;
      if (seen >= share * this.#count) return Math.min(this.#maxMs, (bucket + 1) * BUCKET_MS);
    }
    return this.#maxMs;
  }

  /** Begins a new measurement. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
  }
}

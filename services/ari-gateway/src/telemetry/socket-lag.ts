/** The quickest event of so long tells how far the two clocks are apart, milliseconds. */
const CLOCKS_WINDOW_MS = 300_000;

/**
 * How much later than Asterisk stamped it an event is read. The PBX has another clock, so it is told beyond the quickest event of the
 * last five to ten minutes: what clocks differ by falls out, and with it what the way always takes. One event is measured each
 * time that `measureNext` was called: for the others it costs a look at a flag.
 */
export class SocketLag {
  readonly #record: (lagMs: number) => void;
  readonly #now: () => number;
  #isDue = true;
  #windowFrom: number;
  /** The least difference of the clocks in this window, and in the one before. */
  #least = Number.POSITIVE_INFINITY;
  #leastBefore = Number.POSITIVE_INFINITY;

  /** @param now milliseconds since the epoch */
  constructor(record: (lagMs: number) => void, now: () => number = Date.now) {
    this.#record = record;
    this.#now = now;
    this.#windowFrom = now();
  }

  measureNext(): void {
    this.#isDue = true;
  }

  /** @param timestamp as Asterisk writes it; an event without one is passed over */
  read(timestamp: unknown): void {
    if (!this.#isDue) return;
    const stampedAt = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
    if (Number.isNaN(stampedAt)) return;
    this.#isDue = false;
    const now = this.#now();
    this.#beginWindow(now);
    const apart = now - stampedAt;
    this.#least = Math.min(this.#least, apart);
    this.#record(apart - Math.min(this.#least, this.#leastBefore));
  }

  #beginWindow(now: number): void {
    if (Math.abs(now - this.#windowFrom) < CLOCKS_WINDOW_MS) return;
    this.#windowFrom = now;
    this.#leastBefore = this.#least;
    this.#least = Number.POSITIVE_INFINITY;
  }
}

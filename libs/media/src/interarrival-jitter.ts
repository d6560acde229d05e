/** A packet so far from where the last one says it belongs begins anew; it is not late. Milliseconds. */
const NEW_BEGINNING_MS = 1000;

/**
 * How unevenly a stream's packets arrive: the smoothed difference between the time from packet to packet here and that at the
 * sender (RFC 3550, section 6.4.1 and appendix A.8), in milliseconds.
 */
export class InterarrivalJitter {
  readonly #samplesPerMs: number;
  #lastArrival: number | undefined;
  #lastTimestamp = 0;
  #ms = 0;
  #maxMs = 0;

  /** @param sampleRate of the RTP clock, Hz */
  constructor(sampleRate: number) {
    this.#samplesPerMs = sampleRate / 1000;
  }

  get ms(): number {
    return this.#ms;
  }

  /** The highest that {@link ms} was. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** @param arrivedAt monotonic milliseconds */
  add(arrivedAt: number, timestamp: number): void {
    if (this.#lastArrival !== undefined) {
      const sent = ((timestamp - this.#lastTimestamp) | 0) / this.#samplesPerMs;
      const difference = Math.abs(arrivedAt - this.#lastArrival - sent);
      if (difference < NEW_BEGINNING_MS) this.#ms += (difference - this.#ms) / 16;
      if (this.#ms > this.#maxMs) this.#maxMs = this.#ms;
    }
    this.#lastArrival = arrivedAt;
    this.#lastTimestamp = timestamp;
  }
}

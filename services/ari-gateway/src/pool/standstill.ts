/**
 * Notices that this process stood still (suspended, starved): what it holds may be another's since. The clock is looked at
 * again and again, and before each thing that must not be done then: what runs first after the standstill is either.
 */
export class Standstill {
  readonly #limitMs: number;
  readonly #onNoticed: (ms: number) => void;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #last: number;

  /** @param now milliseconds, never going back */
  constructor(limitMs: number, onNoticed: (ms: number) => void, now = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#onNoticed = onNoticed;
    this.#now = now;
    this.#last = now();
    this.#timer = setInterval(() => this.look(), limitMs / 4);
  }

  look(): void {
    const now = this.#now();
    const stoodMs = now - this.#last;
    this.#last = now;
    if (stoodMs > this.#limitMs) this.#onNoticed(stoodMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

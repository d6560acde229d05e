/** A timer of our own that fires too late tells that all others did, and that answers lay unread; milliseconds. */
const LOOK_EVERY_MS = 50;
/** Late for more than this part of a wait, and what was waited for may have been there in time. */
const RELEVANT_PART = 0.25;

/** How late this process's event loop is: one that is overrun, or gets no processor, must not blame others for it. */
export class LoopLateness {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #lateMs = 0;
  #due: number;

  /** @param now milliseconds, never going back */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#due = now() + LOOK_EVERY_MS;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** To be called when a wait begins. @returns tells whether the loop was late for a relevant part of it */
  since(): () => boolean {
    const from = this.#now();
    const before = this.#total(from);
    return () => {
      const now = this.#now();
      return this.#total(now) - before > RELEVANT_PART * (now - from);
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#now();
    this.#lateMs = this.#total(now);
    this.#due = now + LOOK_EVERY_MS;
  }

  /** Also of a turn that goes on: whoever asks may come before the timer. */
  #total(now: number): number {
    return this.#lateMs + Math.max(0, now - this.#due);
  }
}

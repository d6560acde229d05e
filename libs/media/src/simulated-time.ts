import type { TimeSource } from './pacing-clock.ts';

/** Time that stands until it is moved: for tests of what paces, waits and times out. */
export class SimulatedTime implements TimeSource {
  #now: number;
  #timers: Array<{ at: number; callback: () => void }> = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Moves on by `ms` and calls each timer `lateMs` after its time, as a busy process does. */
  pass(ms: number, lateMs = 0): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at + lateMs > end) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at + lateMs);
      next.callback();
    }
    this.#now = end;
  }

  /** The process does nothing at all for so long. */
  standStill(ms: number): void {
    this.#now += ms;
  }
}

import type { Clock } from '../runtime/call-host.ts';

interface Timer {
  readonly at: number;
  readonly action: () => void;
  /** Only watches over what goes on: nothing waits for it. */
  readonly isWatch: boolean;
}

/** Time that stands until it is moved. */
export class SimulatedClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, action: () => void, isWatch = false): () => void {
    const timer = { at: this.#now + milliseconds, action, isWatch };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Whether something will happen when time passes. */
  get hasTimers(): boolean {
    return this.#timers.some(({ isWatch }) => !isWatch);
  }

  /** Moves to the next timer, if it is due by then, and fires it. */
  fireNext(until: number): boolean {
    const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
    if (!next) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#now = next.at;
    next.action();
    return true;
  }

  moveTo(now: number): void {
    this.#now = Math.max(this.#now, now);
  }
}

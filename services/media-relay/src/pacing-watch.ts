import type { PacingClock } from '@callfleet/media';

/** How late frames were sent. */
export interface Pacing {
  /** In the last whole window, milliseconds; 0 where nothing was sent. */
  readonly p99Ms: number;
  readonly maxMs: number;
  /** That fell out since the start: the process stood still. */
  readonly skippedFrames: number;
}

/** A scrape must see each window. */
const WINDOW_MS = 15_000;

/** Measures a clock's pacing, window by window. */
export class PacingWatch {
  readonly #clock: Pick<PacingClock, 'error' | 'skippedFrames'>;
  readonly #timer: NodeJS.Timeout;
  #last: Pick<Pacing, 'p99Ms' | 'maxMs'> | undefined;

  constructor(clock: Pick<PacingClock, 'error' | 'skippedFrames'>) {
    this.#clock = clock;
    this.#timer = setInterval(() => {
      this.#last = this.#measure();
      clock.error.reset();
    }, WINDOW_MS);
  }

  /** Of the first window before it is whole, too. */
  get pacing(): Pacing {
    return { ...(this.#last ?? this.#measure()), skippedFrames: this.#clock.skippedFrames };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #measure(): Pick<Pacing, 'p99Ms' | 'maxMs'> {
    const { error } = this.#clock;
    return { p99Ms: error.quantileMs(0.99), maxMs: error.maxMs };
  }
}

/** Of several clocks: of the worst. */
export function worstOf(all: readonly Pacing[]): Pacing {
  return {
    p99Ms: Math.max(0, ...all.map(({ p99Ms }) => p99Ms)),
    maxMs: Math.max(0, ...all.map(({ maxMs }) => maxMs)),
    skippedFrames: all.reduce((sum, { skippedFrames }) => sum + skippedFrames, 0),
  };
}

import type { TimeSource } from '@callfleet/media';
import type { Playout } from './provider.ts';

/** Calls back when the caller has heard all up to a place in what is played, or will never hear it. */
export class PlayoutMarks {
  readonly #playout: Playout;
  readonly #time: TimeSource;
  #marks: Array<{ readonly atMs: number; readonly onPlayed: () => void }> = [];
  #cancelTimer: (() => void) | undefined;

  constructor(playout: Playout, time: TimeSource) {
    this.#playout = playout;
    this.#time = time;
  }

  /** Where what is queued next will stand, milliseconds of all that is played. */
  get endMs(): number {
    return this.#playout.playedMs + this.#playout.queuedMs;
  }

  /** Not called back from inside this call. */
  at(atMs: number, onPlayed: () => void): void {
    this.#marks.push({ atMs, onPlayed });
    this.#schedule();
  }

  /** To be called after a flush: what was waited for is not played any more. */
  look(): void {
    const { playedMs, queuedMs } = this.#playout;
    const passed = this.#marks.filter(({ atMs }) => queuedMs === 0 || atMs <= playedMs);
    this.#marks = this.#marks.filter((mark) => !passed.includes(mark));
    for (const { onPlayed } of passed) onPlayed();
    this.#schedule();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#marks = [];
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#marks.length === 0) return;
    const next = Math.min(...this.#marks.map(({ atMs }) => atMs)) - this.#playout.playedMs;
    // Audio goes out in frames, and may be held back: then this looks again.
    this.#cancelTimer = this.#time.after(this.#playout.queuedMs === 0 ? 0 : Math.max(next, 10), () => this.look());
  }
}

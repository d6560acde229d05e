/** How often a program thread beats, milliseconds. */
export const BEAT_EVERY_MS = 50;

const BEATS = 0;
const RUN = 1;
const DELAY_MS = 2;

/** A program thread's sign of life, in memory that it shares with the main thread: readable also while it stands still. */
export class ThreadPulse {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  /** Which run was handed control last; 0 before the first. */
  get lastRun(): number {
    return Atomics.load(this.#cells, RUN);
  }

  /** @param delayMs how much later than due this beat comes */
  beat(delayMs: number): void {
    Atomics.add(this.#cells, BEATS, 1);
    const delay = Math.round(delayMs);
    if (delay > Atomics.load(this.#cells, DELAY_MS)) Atomics.store(this.#cells, DELAY_MS, delay);
  }

  handTo(run: number): void {
    Atomics.store(this.#cells, RUN, run);
  }

  /** The longest delay since this was last asked, milliseconds. */
  takeDelayMs(): number {
    return Atomics.exchange(this.#cells, DELAY_MS, 0);
  }
}

/** So many measurements in a row change its mind: one pause of the garbage collector does not. */
const MEASUREMENTS_TO_PAUSE = 3;
const MEASUREMENTS_TO_RESUME = 5;

/**
 * Whether a service takes more work, by how late its event loops are. It pauses at the limit and resumes at half of it, each
 * after some measurements in a row, so that it does not flap.
 */
export class Admission {
  readonly #limitMs: number;
  #inARow = 0;
  #isOpen = true;
  #open = Promise.withResolvers<void>();

  /** @param limitMs delay of an event loop, milliseconds */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#open.resolve();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when it is open. */
  opened(): Promise<void> {
    return this.#open.promise;
  }

  /**
   * @param delayMs the longest delay since the last measurement
   * @returns what changes by it
   */
  measure(delayMs: number): 'paused' | 'resumed' | undefined {
    const speaksForChange = this.isOpen ? delayMs >= this.#limitMs : delayMs < this.#limitMs / 2;
    this.#inARow = speaksForChange ? this.#inARow + 1 : 0;
    if (this.#inARow < (this.isOpen ? MEASUREMENTS_TO_PAUSE : MEASUREMENTS_TO_RESUME)) return undefined;
    this.#inARow = 0;
    if (this.isOpen) {
      this.#open = Promise.withResolvers();
      this.#isOpen = false;
      return 'paused';
    }
    this.#isOpen = true;
    this.#open.resolve();
    return 'resumed';
  }
}

import type { TimeSource } from '@callfleet/media';

/** The rest of an interrupted answer comes so late at most, milliseconds. */
const LATE_AUDIO_MS = 1000;

/** Names for the answers of AIs that give them none, so that what comes late of an interrupted one is not played. */
export class UnnamedAnswers {
  readonly #time: TimeSource;
  #count = 0;
  #cutAt: number | undefined;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /** The name of the answer that what comes now is of. */
  get current(): string {
    // A bot that stays silent after an interruption is worse than one that says the rest of a sentence.
    if (this.#cutAt !== undefined && this.#time.now() - this.#cutAt >= LATE_AUDIO_MS) this.next();
    return `answer ${this.#count}`;
  }

  /** What comes from here on is of another answer. */
  next(): void {
    this.#count += 1;
    this.#cutAt = undefined;
  }

  /** The AI has done with what was interrupted. */
  resume(): void {
    if (this.#cutAt !== undefined) this.next();
  }

  /** The caller interrupted. @returns the name of the answer whose rest is not wanted */
  cut(): string {
    const { current } = this;
    this.#cutAt = this.#time.now();
    return current;
  }
}

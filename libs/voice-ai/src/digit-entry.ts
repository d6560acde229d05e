import type { TimeSource } from '@callfleet/media';
import { z } from 'zod';

export const digitOptions = {
  /** This key ends what the caller enters, and is not part of it. `null`: only a pause does. */
  digitsFinishKey: z
    .string()
    .regex(/^[0-9*#A-D]$/)
    .nullable()
    .default('#'),
  /** A pause of so long ends what the caller enters, milliseconds. */
  digitsTimeoutMs: z.int().min(200).max(30_000).default(2000),
};

/** Nobody enters more in one go. */
const MAX_DIGITS = 64;

interface DigitEntryOptions {
  readonly digitsFinishKey: string | null;
  readonly digitsTimeoutMs: number;
  /** So many are all of it. */
  readonly count?: number;
}

/** Collects keys, so that an AI is told of a number and not of each of its digits. */
export class DigitEntry {
  readonly #options: DigitEntryOptions;
  readonly #time: TimeSource;
  readonly #onEntered: (digits: string) => void;
  #digits = '';
  #cancelTimer: () => void = () => {};

  constructor(options: DigitEntryOptions, time: TimeSource, onEntered: (digits: string) => void) {
    this.#options = options;
    this.#time = time;
    this.#onEntered = onEntered;
  }

  press(key: string): void {
    this.#cancelTimer();
    const finished = key === this.#options.digitsFinishKey;
    // The finish key alone is an answer too: "press # to go on".
    if (!finished || this.#digits === '') this.#digits += key;
    if (finished || this.#digits.length >= (this.#options.count ?? MAX_DIGITS)) this.#enter();
    else this.#cancelTimer = this.#time.after(this.#options.digitsTimeoutMs, () => this.#enter());
  }

  close(): void {
    this.#cancelTimer();
  }

  #enter(): void {
    const digits = this.#digits;
    this.#digits = '';
    this.#onEntered(digits);
  }
}

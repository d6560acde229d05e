import type { TimeSource } from '@callfleet/media';

/** A caller who has spoken so long in all has said something: a cough has not. Milliseconds. */
const SAID_SOMETHING_MS = 500;

/** Then a pause of so long is the end of it: whoever wants to answer may, milliseconds. */
const PAUSE_MS = 600;

export interface FirstAudioWatchOptions {
  /** 0: nobody is watched. */
  limitMs: number;
  /** What is said first: a greeting when the caller is there, or an answer when he has said something. Undefined: maybe nothing. */
  owes: 'greeting' | 'answer' | undefined;
  time: TimeSource;
  /** Once. */
  onSilent: (why: string) => void;
}

/** Notices a voice AI that is there and never says anything. */
export class FirstAudioWatch {
  readonly #options: FirstAudioWatchOptions;
  #state: 'WAITING' | 'OWED' | 'DONE';
  #speechMs = 0;
  #cancel: () => void = () => {};

  constructor(options: FirstAudioWatchOptions) {
    this.#options = options;
    this.#state = options.limitMs > 0 && options.owes !== undefined ? 'WAITING' : 'DONE';
  }

  /** The caller is there. */
  begin(): void {
    if (this.#options.owes === 'greeting') this.#owe('though it has a greeting');
  }

  /** The caller made so much sound that may be speech, milliseconds. */
  heard(ms: number): void {
    if (this.#state !== 'WAITING') return;
    this.#speechMs += ms;
    if (this.#speechMs < SAID_SOMETHING_MS) return;
    this.#cancel();
    this.#cancel = this.#options.time.after(PAUSE_MS, () => this.#owe('though the caller spoke'));
  }

  /** It has said or done something, or is gone. */
  done(): void {
    this.#state = 'DONE';
    this.#cancel();
  }

  #owe(why: string): void {
    if (this.#state !== 'WAITING') return;
    this.#state = 'OWED';
    const { limitMs, onSilent, time } = this.#options;
    this.#cancel = time.after(limitMs, () => {
      this.done();
      onSilent(`said nothing within ${limitMs} ms, ${why}`);
    });
  }
}

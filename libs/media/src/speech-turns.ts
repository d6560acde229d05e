export interface SpeechTurnsOptions {
  /** Speech starts after so many milliseconds of it in a row: a click is none. Default 60. */
  onsetMs?: number;
  /** Speech stops after so many milliseconds without it: the pauses between words are shorter. Default 600. */
  hangoverMs?: number;
}

/** Tells when somebody starts and stops speaking. */
export interface SpeechDetector {
  readonly onsetMs: number;
  readonly hangoverMs: number;
  readonly speaking: boolean;
  /** While somebody speaks: so long was the last of it ago, milliseconds. */
  readonly quietMs: number;
  /** Takes the next stretch of audio, 10 to 30 ms. `started` is said `onsetMs` after the fact, `stopped` `hangoverMs`. */
  hear(pcm: Int16Array): 'started' | 'stopped' | undefined;
}

/** Makes turns of speech of what single frames say of themselves. */
export class SpeechTurns {
  readonly onsetMs: number;
  readonly hangoverMs: number;
  #speaking = false;
  /** Milliseconds in a row that contradict `#speaking`. */
  #contraryMs = 0;

  constructor(options: SpeechTurnsOptions) {
    this.onsetMs = options.onsetMs ?? 60;
    this.hangoverMs = options.hangoverMs ?? 600;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  get quietMs(): number {
    return this.#speaking ? this.#contraryMs : 0;
  }

  add(isSpeech: boolean, ms: number): 'started' | 'stopped' | undefined {
    if (isSpeech === this.#speaking) {
      this.#contraryMs = 0;
      return undefined;
    }
    this.#contraryMs += ms;
    if (this.#contraryMs < (this.#speaking ? this.hangoverMs : this.onsetMs)) return undefined;
    this.#contraryMs = 0;
    this.#speaking = !this.#speaking;
    return this.#speaking ? 'started' : 'stopped';
  }
}

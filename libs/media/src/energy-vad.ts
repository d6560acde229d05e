import { dbfsOf } from './sound-level.ts';

/** A frame this loud may be speech: well above line noise (below -50), below soft speech (about -35). dBFS, RMS. */
export const SPEECH_DBFS = -42;

export interface EnergyVadOptions {
  /** Hz. */
  sampleRate: number;
  /** Frames at least this loud are speech, dBFS RMS. Default {@link SPEECH_DBFS}. */
  thresholdDbfs?: number;
  /** Speech starts after so many milliseconds of it in a row: a click is none. Default 60. */
  onsetMs?: number;
  /** Speech stops after so many milliseconds without it: the pauses between words are shorter. Default 600. */
  hangoverMs?: number;
}

/**
 * Tells when somebody starts and stops speaking, from loudness alone: cheap, no model, good enough for tests and for
 * a quiet line. Noise above the threshold is speech to it.
 */
export class EnergyVad {
  readonly onsetMs: number;
  readonly hangoverMs: number;
  readonly #thresholdDbfs: number;
  readonly #samplesPerMs: number;
  #speaking = false;
  /** Milliseconds in a row that contradict `#speaking`. */
  #contraryMs = 0;

  constructor(options: EnergyVadOptions) {
    this.onsetMs = options.onsetMs ?? 60;
    this.hangoverMs = options.hangoverMs ?? 600;
    this.#thresholdDbfs = options.thresholdDbfs ?? SPEECH_DBFS;
    this.#samplesPerMs = options.sampleRate / 1000;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  /** Takes the next stretch of audio, 10 to 30 ms. `started` is said `onsetMs` after the fact, `stopped` `hangoverMs`. */
  hear(pcm: Int16Array): 'started' | 'stopped' | undefined {
    if (dbfsOf(pcm) >= this.#thresholdDbfs === this.#speaking) {
      this.#contraryMs = 0;
      return undefined;
    }
    this.#contraryMs += pcm.length / this.#samplesPerMs;
    if (this.#contraryMs < (this.#speaking ? this.hangoverMs : this.onsetMs)) return undefined;
    this.#contraryMs = 0;
    this.#speaking = !this.#speaking;
    return this.#speaking ? 'started' : 'stopped';
  }
}

import { dbfsOf } from './sound-level.ts';
import { type SpeechDetector, SpeechTurns, type SpeechTurnsOptions } from './speech-turns.ts';

/** A frame this loud may be speech: well above line noise (below -50), below soft speech (about -35). dBFS, RMS. */
export const SPEECH_DBFS = -42;

export interface EnergyVadOptions extends SpeechTurnsOptions {
  /** Hz. */
  sampleRate: number;
  /** Frames at least this loud are speech, dBFS RMS. Default {@link SPEECH_DBFS}. */
  thresholdDbfs?: number;
}

/**
 * Tells when somebody starts and stops speaking, from loudness alone: cheap, no model, good enough for tests and for
 * a quiet line. Noise above the threshold is speech to it.
 */
export class EnergyVad implements SpeechDetector {
  readonly #turns: SpeechTurns;
  readonly #thresholdDbfs: number;
  readonly #samplesPerMs: number;

  constructor(options: EnergyVadOptions) {
    this.#turns = new SpeechTurns(options);
    this.#thresholdDbfs = options.thresholdDbfs ?? SPEECH_DBFS;
    this.#samplesPerMs = options.sampleRate / 1000;
  }

  get onsetMs(): number {
    return this.#turns.onsetMs;
  }

  get hangoverMs(): number {
    return this.#turns.hangoverMs;
  }

  get speaking(): boolean {
    return this.#turns.speaking;
  }

  get quietMs(): number {
    return this.#turns.quietMs;
  }

  hear(pcm: Int16Array): 'started' | 'stopped' | undefined {
    return this.#turns.add(dbfsOf(pcm) >= this.#thresholdDbfs, pcm.length / this.#samplesPerMs);
  }
}

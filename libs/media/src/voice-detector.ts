import loadLibfvad, { VADEvent, VADMode } from '@ozymandiasthegreat/vad';
import { Resampler } from './resampler.ts';
import { type SpeechDetector, SpeechTurns, type SpeechTurnsOptions } from './speech-turns.ts';

export interface VoiceDetectorOptions extends SpeechTurnsOptions {
  /** Hz: 8000, 16000, 24000 or 48000. */
  sampleRate: number;
  /** How sure it must be: from 0, which takes most for speech, to 3. Default 2. */
  strictness?: 0 | 1 | 2 | 3;
}

type Libfvad = Awaited<ReturnType<typeof loadLibfvad>>;

/** What libfvad looks at, Hz: it has been made for the telephone band, and brings all else down to it. */
const LIBFVAD_HZ = 8000;

/** The shortest stretch that libfvad judges: 10 ms. */
const STRETCH_MS = 10;
const STRETCH = (LIBFVAD_HZ * STRETCH_MS) / 1000;

/** It takes the first noise that it ever hears for a voice, 70 to 90 ms of it: by then it knows the line. Milliseconds. */
const WARM_UP_MS = 100;

const MODES = [VADMode.NORMAL, VADMode.LOW_BITRATE, VADMode.AGGRESSIVE, VADMode.VERY_AGGRESSIVE] as const;

let loading: Promise<Libfvad> | undefined;

/**
 * Tells when somebody starts and stops speaking, by WebRTC's voice activity detector (libfvad): it hears the spectrum and follows
 * the noise of the line, so that steady noise as loud as soft speech is none to it. Loud noise (-30 dBFS and above) still is.
 */
export class VoiceDetector implements SpeechDetector {
  readonly #turns: SpeechTurns;
  readonly #libfvad: InstanceType<Libfvad>;
  readonly #resampler: Resampler;
  /** libfvad's wrapper takes an array's whole buffer, so it is given this one only. */
  readonly #stretch = new Int16Array(STRETCH);
  #filled = 0;
  #warmUpMs = WARM_UP_MS;

  private constructor(libfvad: InstanceType<Libfvad>, options: VoiceDetectorOptions) {
    this.#libfvad = libfvad;
    this.#turns = new SpeechTurns(options);
    this.#resampler = new Resampler({ fromHz: options.sampleRate, toHz: LIBFVAD_HZ });
  }

  /** The first one loads the WebAssembly module, which takes a few milliseconds. */
  static async create(options: VoiceDetectorOptions): Promise<VoiceDetector> {
    loading ??= loadLibfvad();
    const Vad = await loading;
    return new VoiceDetector(new Vad(MODES[options.strictness ?? 2], LIBFVAD_HZ), options);
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
    let told: 'started' | 'stopped' | undefined;
    const samples = this.#resampler.process(pcm);
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + STRETCH - this.#filled);
      this.#stretch.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < STRETCH) break;
      this.#filled = 0;
      const isVoice = this.#libfvad.processFrame(this.#stretch) === VADEvent.VOICE;
      if (this.#warmUpMs > 0) this.#warmUpMs -= STRETCH_MS;
      else told = this.#turns.add(isVoice, STRETCH_MS) ?? told;
    }
    return told;
  }

  /** Frees its memory, which is not the garbage collector's. Nothing may be heard afterwards. */
  close(): void {
    this.#libfvad.destroy();
  }
}

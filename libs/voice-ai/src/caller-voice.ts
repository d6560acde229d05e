import { type AudioFormat, dbfsOf, EnergyVad, msOfBytes, SPEECH_DBFS, type TimeSource, toPcm } from '@callfleet/media';

/** Milliseconds on the call's clock. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** When the caller spoke, for AIs that tell what was said but not when. */
export class CallerVoice {
  readonly #format: AudioFormat;
  readonly #time: TimeSource;
  readonly #vad: EnergyVad;
  readonly #tell: (event: { type: 'speech-started' | 'speech-stopped'; atMs: number }) => void;
  #startedAt: number | undefined;
  #loudAt = 0;
  #lastStretch: Stretch | undefined;

  constructor(
    format: AudioFormat,
    time: TimeSource,
    tell: (event: { type: 'speech-started' | 'speech-stopped'; atMs: number }) => void,
  ) {
    this.#format = format;
    this.#time = time;
    this.#tell = tell;
    this.#vad = new EnergyVad({ sampleRate: format.sampleRate });
  }

  hear(frame: Uint8Array): void {
    const pcm = toPcm(this.#format, frame);
    const now = this.#time.now();
    if (dbfsOf(pcm) >= SPEECH_DBFS) this.#loudAt = now;
    const change = this.#vad.hear(pcm);
    if (!change) return;
    if (change === 'started') {
      this.#startedAt = Math.max(0, now - this.#vad.onsetMs);
      this.#tell({ type: 'speech-started', atMs: this.#startedAt });
      return;
    }
    const endMs = now - this.#vad.hangoverMs;
    this.#lastStretch = { startMs: this.#startedAt ?? endMs, endMs };
    this.#startedAt = undefined;
    this.#tell({ type: 'speech-stopped', atMs: endMs });
  }

  /** When what was said last was said, as far as it goes. What was not heard here was said just now. */
  get said(): Stretch {
    const now = this.#time.now();
    if (this.#startedAt !== undefined) return { startMs: this.#startedAt, endMs: this.#loudAt };
    return this.#lastStretch ?? { startMs: Math.max(0, now - 1), endMs: now };
  }
}

/** Where in the stream that an AI was sent which moment of the call is. */
export class SentAudio {
  readonly #format: AudioFormat;
  readonly #time: TimeSource;
  #sentMs = 0;

  constructor(format: AudioFormat, time: TimeSource) {
    this.#format = format;
    this.#time = time;
  }

  add(audio: Uint8Array): void {
    this.#sentMs += msOfBytes(this.#format, audio.length);
  }

  /** The moment of the call at which the AI heard what stands there, milliseconds. */
  atMs(positionMs: number): number {
    const now = this.#time.now();
    return Math.min(now, Math.max(0, now - (this.#sentMs - positionMs)));
  }
}

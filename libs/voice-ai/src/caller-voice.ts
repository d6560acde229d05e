import { type AudioFormat, EnergyVad, msOfBytes, type TimeSource, toPcm } from '@callfleet/media';

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
    const change = this.#vad.hear(toPcm(this.#format, frame));
    if (!change) return;
    const now = this.#time.now();
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

  /** What was said last: until now, if it goes on. Undefined: nothing that could be heard here. */
  get last(): Stretch | undefined {
    if (this.#startedAt === undefined) return this.#lastStretch;
    return { startMs: this.#startedAt, endMs: this.#time.now() };
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

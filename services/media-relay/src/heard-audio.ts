import { type AudioFormat, LoudestSecond, msOfBytes, SPEECH_DBFS } from '@callfleet/media';

/** Measures what a caller says, for the record of the call: was there audio, was it loud enough, was it speech? */
export class HeardAudio {
  readonly #format: AudioFormat;
  readonly #level: LoudestSecond;
  #packets = 0;
  #bytes = 0;
  #speechBytes = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
    this.#level = new LoudestSecond(format);
  }

  /** @returns so much of it may be speech, milliseconds */
  add(frame: Uint8Array): number {
    this.#packets += 1;
    this.#bytes += frame.length;
    const speechBytes = this.#level.add(frame) >= SPEECH_DBFS ? frame.length : 0;
    this.#speechBytes += speechBytes;
    return msOfBytes(this.#format, speechBytes);
  }

  get stats(): { packets: number; ms: number; peakDbfs: number; speechMs: number } {
    return {
      packets: this.#packets,
      ms: msOfBytes(this.#format, this.#bytes),
      peakDbfs: Math.round(this.#level.dbfs * 10) / 10,
      speechMs: msOfBytes(this.#format, this.#speechBytes),
    };
  }
}

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

  add(frame: Uint8Array): void {
    this.#packets += 1;
    this.#bytes += frame.length;
    if (this.#level.add(frame) >= SPEECH_DBFS) this.#speechBytes += frame.length;
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

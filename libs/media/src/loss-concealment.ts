import { type AudioFormat, FRAME_MS, fromPcm, toPcm } from './format.ts';

/** The last sound is repeated, ever softer, for so long; then there is silence. G.711's appendix I does so. */
const FADE_MS = 60;

/** What is lost beyond this at once is left out: an AI would only wait for its silence. */
const MAX_CONCEALED_MS = 1000;

/** Fills gaps in received audio, so that what follows keeps its place in time. */
export class LossConcealment {
  readonly #format: AudioFormat;
  #last: Uint8Array | undefined;
  #concealedMs = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  /** Audio that was made up, milliseconds. */
  get concealedMs(): number {
    return this.#concealedMs;
  }

  /** Keeps `frame` itself: it must not be changed afterwards. */
  heard(frame: Uint8Array): void {
    this.#last = frame;
  }

  /** @returns what to hear in place of so many frames of 20 ms */
  conceal(frames: number): Uint8Array[] {
    const count = Math.min(frames, MAX_CONCEALED_MS / FRAME_MS);
    this.#concealedMs += count * FRAME_MS;
    const last = this.#last?.length === this.#format.frameBytes ? toPcm(this.#format, this.#last) : undefined;
    return Array.from({ length: count }, (_, i) => {
      if (last && i * FRAME_MS < FADE_MS) return fromPcm(this.#format, faded(last, i));
      return new Uint8Array(this.#format.frameBytes).fill(this.#format.silenceByte);
    });
  }
}

/** @param repeat how often it was repeated before */
function faded(frame: Int16Array, repeat: number): Int16Array {
  const fadeSamples = (frame.length * FADE_MS) / FRAME_MS;
  return frame.map((sample, i) => sample * (1 - (repeat * frame.length + i) / fadeSamples));
}

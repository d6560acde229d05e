import {
  type AudioFormat,
  decodeUlaw,
  encodeUlaw,
  type FormatName,
  formatNamed,
  formatNames,
  fromPcm,
  Resampler,
  toPcm,
} from '@callfleet/media';

/** Of all that is inside of the PBX, bytes of a frame: 20 ms of µ-law. */
export const FRAME_BYTES = 160;

const PBX_HZ = 8000;

/** Between a leg's format and µ-law, in which the simulated PBX moves all audio. */
export class LegCodec {
  readonly format: AudioFormat;
  readonly #up: Resampler;
  readonly #down: Resampler;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(name: FormatName) {
    this.format = formatNamed(name);
    this.#up = new Resampler({ fromHz: PBX_HZ, toHz: this.format.sampleRate });
    this.#down = new Resampler({ fromHz: this.format.sampleRate, toHz: PBX_HZ });
  }

  /** @returns the frame itself where the leg speaks µ-law too */
  encode(frame: Uint8Array): Uint8Array {
    if (this.format.encoding === 'ulaw') return frame;
    return fromPcm(this.format, this.#up.process(decodeUlaw(frame)));
  }

  /** Gives each whole frame of what came so far. */
  decode(bytes: Uint8Array, deliver: (frame: Uint8Array) => void): void {
    const ulaw = this.format.encoding === 'ulaw' ? bytes : encodeUlaw(this.#down.process(toPcm(this.format, bytes)));
    if (this.#rest.length === 0 && ulaw.length === FRAME_BYTES) {
      deliver(ulaw);
      return;
    }
    const all = new Uint8Array(this.#rest.length + ulaw.length);
    all.set(this.#rest);
    all.set(ulaw, this.#rest.length);
    let at = 0;
    for (; at + FRAME_BYTES <= all.length; at += FRAME_BYTES) deliver(all.subarray(at, at + FRAME_BYTES));
    this.#rest = all.subarray(at);
  }
}

/** undefined: Asterisk may know it, the simulated PBX does not. */
export function formatCalled(name: string): FormatName | undefined {
  return formatNames.find((one) => one === name);
}

import { buildRtp, type KeyFrame, KeySender } from '@callfleet/media';
import { type CallerSound, soundFrames } from './caller-sound.ts';

const ULAW = 0;
/** As caller.sipp.xml offers it. */
export const TELEPHONE_EVENT = 101;

const SAMPLES_PER_FRAME = 160;

/** The RTP stream of a caller, frame by frame: sound, and digits in its place (RFC 4733). */
export class CallerStream {
  readonly #ssrc: number;
  #seq: number;
  #timestamp: number;
  #marker = true;
  #nextFrame = soundFrames(null);
  readonly #keys = new KeySender(SAMPLES_PER_FRAME);

  constructor(begin: { ssrc: number; seq: number; timestamp: number }) {
    this.#ssrc = begin.ssrc;
    this.#seq = begin.seq & 0xffff;
    this.#timestamp = begin.timestamp >>> 0;
  }

  setSound(sound: CallerSound | null): void {
    this.#nextFrame = soundFrames(sound);
    this.#marker = true;
  }

  /** Digits wait for those before them: each takes 100 ms and a pause of 60 ms. */
  press(digits: string): void {
    this.#keys.press(digits);
  }

  /** The datagrams of the next 20 ms. `skipped`: frames that time has left out before it. */
  next(skipped = 0): Uint8Array[] {
    this.#advance(skipped);
    // The sound goes on unheard behind a key: time passes for it.
    const sound = this.#nextFrame();
    const key = this.#keys.next();
    const packets = key ? this.#key(key) : [this.#packet(ULAW, this.#timestamp, sound)];
    this.#advance(1);
    return packets;
  }

  #key({ payload, repeats, age }: KeyFrame): Uint8Array[] {
    if (age === 0) this.#marker = true;
    const began = (this.#timestamp - age * SAMPLES_PER_FRAME) >>> 0;
    const packets = Array.from({ length: repeats }, () => this.#packet(TELEPHONE_EVENT, began, payload));
    // The end: the sound begins anew.
    if (repeats > 1) this.#marker = true;
    return packets;
  }

  #packet(payloadType: number, timestamp: number, payload: Uint8Array): Uint8Array {
    const header = { payloadType, marker: this.#marker, seq: this.#seq, timestamp, ssrc: this.#ssrc };
    this.#marker = false;
    this.#seq = (this.#seq + 1) & 0xffff;
    return buildRtp(header, payload);
  }

  #advance(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * SAMPLES_PER_FRAME) >>> 0;
  }
}

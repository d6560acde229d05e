import { buildRtp, encodeTelephoneEvent, eventOfKey } from '@callfleet/media';
import { type CallerSound, soundFrames } from './caller-sound.ts';

const ULAW = 0;
/** As caller.sipp.xml offers it. */
export const TELEPHONE_EVENT = 101;

const SAMPLES_PER_FRAME = 160;
const DIGIT_FRAMES = 5;
/** Sound between two digits, so that a receiver tells "11" from "1". */
const PAUSE_FRAMES = 3;
/** RFC 4733, section 2.5.1.4: the end of a digit is sent three times. */
const END_REPEATS = 3;
const VOLUME = 10;

/** The RTP stream of a caller, frame by frame: sound, and digits in its place (RFC 4733). */
export class CallerStream {
  readonly #ssrc: number;
  #seq: number;
  #timestamp: number;
  #marker = true;
  #nextFrame = soundFrames(null);
  readonly #digits: number[] = [];
  #digitFrame = 0;
  #pause = 0;

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
    const events = [...digits].map((digit) => {
      const event = eventOfKey(digit);
      if (event === undefined) throw new RangeError(`${digit} is no key of a telephone: 0-9 * # A-D are`);
      return event;
    });
    this.#digits.push(...events);
  }

  /** The datagrams of the next 20 ms. `skipped`: frames that time has left out before it. */
  next(skipped = 0): Uint8Array[] {
    this.#advance(skipped);
    const event = this.#pause === 0 ? this.#digits[0] : undefined;
    const packets = event === undefined ? [this.#sound()] : this.#digit(event);
    this.#advance(1);
    return packets;
  }

  #sound(): Uint8Array {
    if (this.#pause > 0) this.#pause -= 1;
    return this.#packet(ULAW, this.#timestamp, this.#nextFrame());
  }

  #digit(event: number): Uint8Array[] {
    // The sound goes on unheard: time passes for it.
    this.#nextFrame();
    this.#digitFrame += 1;
    const end = this.#digitFrame === DIGIT_FRAMES;
    const duration = this.#digitFrame * SAMPLES_PER_FRAME;
    if (this.#digitFrame === 1) this.#marker = true;
    // All packets of a digit carry the timestamp of its beginning.
    const began = (this.#timestamp - duration + SAMPLES_PER_FRAME) >>> 0;
    const payload = encodeTelephoneEvent({ event, end, volume: VOLUME, duration });
    const packets = Array.from({ length: end ? END_REPEATS : 1 }, () => this.#packet(TELEPHONE_EVENT, began, payload));
    if (end) {
      this.#digits.shift();
      this.#digitFrame = 0;
      this.#pause = PAUSE_FRAMES;
      this.#marker = true;
    }
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

import { encodeTelephoneEvent, eventOfKey } from './telephone-event.ts';

/** 100 ms: what a receiver surely takes for a key (40 ms are the least, ITU-T Q.24). */
const KEY_FRAMES = 5;
/** Audio between two keys, so that a receiver tells "11" from "1". */
const PAUSE_FRAMES = 3;
/** The end of a key is sent three times, against loss (RFC 4733, section 2.5.1.4). */
const END_REPEATS = 3;
/** Power, dB below full scale. */
const VOLUME = 10;

/** What of a key is due in one frame of 20 ms, in place of its audio. */
export interface KeyFrame {
  readonly payload: Uint8Array;
  /** So many packets with this payload. */
  readonly repeats: number;
  /** Frames since the key began, 0 for its first: all packets of a key have the timestamp of that one, which alone has the marker. */
  readonly age: number;
}

/** Presses keys in a stream of RTP, frame by frame (RFC 4733): 100 ms each, and 60 ms of audio behind each. */
export class KeySender {
  readonly #samplesPerFrame: number;
  readonly #events: number[] = [];
  #age = 0;
  #pause = 0;

  /** @param samplesPerFrame of 20 ms by the clock of the stream */
  constructor(samplesPerFrame: number) {
    this.#samplesPerFrame = samplesPerFrame;
  }

  /**
   * Keys wait for those before them.
   *
   * @throws RangeError where one is none of `0-9 * # A-D`; then none is pressed
   */
  press(keys: string): void {
    const events = [...keys].map((key) => {
      const event = eventOfKey(key);
      if (event === undefined) throw new RangeError(`${key} is no key of a telephone: 0-9 * # A-D are`);
      return event;
    });
    this.#events.push(...events);
  }

  /** To be asked once for each frame. @returns undefined: the frame is audio */
  next(): KeyFrame | undefined {
    const event = this.#events[0];
    if (this.#pause > 0 || event === undefined) {
      this.#pause = Math.max(0, this.#pause - 1);
      return undefined;
    }
    const age = this.#age;
    const end = age === KEY_FRAMES - 1;
    this.#age = end ? 0 : age + 1;
    if (end) {
      this.#events.shift();
      this.#pause = PAUSE_FRAMES;
    }
    const payload = encodeTelephoneEvent({ event, end, volume: VOLUME, duration: (age + 1) * this.#samplesPerFrame });
    return { payload, repeats: end ? END_REPEATS : 1, age };
  }
}

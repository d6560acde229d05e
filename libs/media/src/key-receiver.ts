import type { RtpPacket } from './rtp-packet.ts';
import { decodeTelephoneEvent, keyOfEvent } from './telephone-event.ts';

/** A key that is held for longer than a duration can say goes on in another segment (RFC 4733, section 2.5.1.3). */
const LONGEST_SEGMENT = 0xffff;

/**
 * Tells each key that is pressed once, when the first packet of it comes: all packets of one press have one timestamp, so that
 * neither a lost beginning nor a lost end matters.
 */
export class KeyReceiver {
  readonly #pressed: (key: string) => void;
  #last: { ssrc: number; timestamp: number; event: number } | undefined;

  constructor(pressed: (key: string) => void) {
    this.#pressed = pressed;
  }

  /** @param packet with telephone-events, in order @returns false: it holds none */
  receive({ ssrc, timestamp, payload }: RtpPacket): boolean {
    const press = decodeTelephoneEvent(payload);
    if (!press) return false;
    const { event } = press;
    const last = this.#last;
    this.#last = { ssrc, timestamp, event };
    if (last?.ssrc === ssrc && last.event === event) {
      const step = (timestamp - last.timestamp) >>> 0;
      if (step === 0 || step === LONGEST_SEGMENT) return true;
    }
    const key = keyOfEvent(event);
    if (key !== undefined) this.#pressed(key);
    return true;
  }
}

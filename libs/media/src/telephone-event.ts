/** One payload of RFC 4733: a key that is held, or was just let go. */
export interface TelephoneEvent {
  /** 0..15 are the keys; others (flash, tones) are passed on as they are. */
  event: number;
  /** The key was let go. Sent three times, so a receiver must take a digit only once per RTP timestamp. */
  end: boolean;
  /** Power below full scale, 0..63 dBm0. */
  volume: number;
  /** Since the key went down, in units of the RTP clock: 0..65535. */
  duration: number;
}

const TELEPHONE_EVENT_BYTES = 4;

const KEYS = '0123456789*#ABCD';

/** The key of an event number (section 3.2); undefined for events that are no key. */
export function keyOfEvent(event: number): string | undefined {
  return KEYS[event];
}

/** The event number of a key `0-9 * # A-D`; undefined for anything else. */
export function eventOfKey(key: string): number | undefined {
  const event = KEYS.indexOf(key);
  return key.length === 1 && event >= 0 ? event : undefined;
}

export function encodeTelephoneEvent(event: TelephoneEvent): Uint8Array {
  return Uint8Array.of(
    event.event,
    (event.end ? 0x80 : 0) | (event.volume & 0x3f),
    event.duration >>> 8,
    event.duration & 0xff,
  );
}

/** Undefined where the payload is too short to hold an event. */
export function decodeTelephoneEvent(payload: Uint8Array): TelephoneEvent | undefined {
  if (payload.length < TELEPHONE_EVENT_BYTES) return undefined;
  const [event, flags, high, low] = payload as unknown as [number, number, number, number];
  return { event, end: flags >= 0x80, volume: flags & 0x3f, duration: (high << 8) | low };
}

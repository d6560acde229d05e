import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTelephoneEvent, encodeTelephoneEvent, eventOfKey, keyOfEvent } from './telephone-event.ts';

describe('a telephone event', () => {
  test('is read back as it was written', () => {
    const events = fc.record({
      event: fc.integer({ min: 0, max: 255 }),
      end: fc.boolean(),
      volume: fc.integer({ min: 0, max: 63 }),
      duration: fc.integer({ min: 0, max: 0xffff }),
    });
    fc.assert(
      fc.property(events, (event) => {
        expect(decodeTelephoneEvent(encodeTelephoneEvent(event))).toEqual(event);
      }),
    );
  });

  test('is laid out as RFC 4733 draws it', () => {
    expect([...encodeTelephoneEvent({ event: 11, end: true, volume: 10, duration: 1600 })]).toEqual([11, 0x8a, 6, 64]);
  });

  test('is not read from less than four bytes', () => {
    expect(decodeTelephoneEvent(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  test('names the sixteen keys and nothing else', () => {
    const keys = [...'0123456789*#ABCD'];
    expect(keys.map((key) => eventOfKey(key))).toEqual(keys.map((_, i) => i));
    expect(keys.map((_, i) => keyOfEvent(i))).toEqual(keys);
    for (const text of ['', 'a', '12', 'E']) expect(eventOfKey(text)).toBeUndefined();
    expect(keyOfEvent(16)).toBeUndefined();
  });
});

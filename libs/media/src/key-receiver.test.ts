import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyReceiver } from './key-receiver.ts';
import { encodeTelephoneEvent, eventOfKey } from './telephone-event.ts';

/** What a phone sends for one press: one packet each 20 ms, the last three times. */
function press(key: string, timestamp: number, ssrc = 1) {
  const durations = [160, 320, 480, 640, 640, 640];
  return durations.map((duration, i) => ({
    payloadType: 101,
    marker: i === 0,
    seq: 0,
    timestamp,
    ssrc,
    payload: encodeTelephoneEvent({ event: eventOfKey(key) ?? 0, end: i >= 3, volume: 10, duration }),
  }));
}

function keysOf(packets: ReturnType<typeof press>): string {
  let keys = '';
  const receiver = new KeyReceiver((key) => {
    keys += key;
  });
  for (const packet of packets) receiver.receive(packet);
  return keys;
}

describe('keys', () => {
  test('are told once for each press, also the same key again', () => {
    expect(keysOf([...press('1', 0), ...press('1', 1600), ...press('#', 3200)])).toBe('11#');
  });

  test('survive the loss of any packets but all of one press', () => {
    const presses = [...'90*D'].map((key, i) => press(key, i * 1600));
    const kept = fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 });
    fc.assert(
      fc.property(fc.tuple(kept, kept, kept, kept), (keep) => {
        const packets = presses.flatMap((packets, i) =>
          (keep[i] as number[]).map((at) => packets[at] as (typeof packets)[0]),
        );
        expect(keysOf(packets)).toBe('90*D');
      }),
    );
  });

  test('that are held for long are one press', () => {
    expect(keysOf([...press('5', 1000), ...press('5', 1000 + 0xffff)])).toBe('5');
  });

  test('of another source are another press', () => {
    expect(keysOf([...press('5', 1000, 1), ...press('5', 1000, 2)])).toBe('55');
  });

  test('are no tones, nor what is too short', () => {
    let told = 0;
    const receiver = new KeyReceiver(() => {
      told += 1;
    });
    const [packet] = press('1', 0);
    if (!packet) return expect.unreachable();
    expect(receiver.receive({ ...packet, payload: Uint8Array.of(66, 0, 0, 160) })).toBe(true);
    expect(receiver.receive({ ...packet, payload: Uint8Array.of(1, 0, 0) })).toBe(false);
    expect(told).toBe(0);
  });
});

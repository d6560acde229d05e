import { decodeTelephoneEvent, decodeUlaw, parseRtp, toneLevel } from '@callfleet/media';
import { expect, test } from 'vitest';
import { CallerStream } from './caller-stream.ts';

const stream = () => new CallerStream({ ssrc: 7, seq: 65_534, timestamp: 0xffff_ff00 });

const packets = (from: CallerStream, frames: number) =>
  Array.from({ length: frames }, () => from.next())
    .flat()
    .map((datagram) => parseRtp(datagram) ?? expect.fail('no RTP'));

test('a tone goes on without a break over packets, numbers and time go on over their limits', () => {
  const caller = stream();
  caller.setSound({ toneHz: 333 });
  const sent = packets(caller, 50);
  expect(sent.slice(0, 3).map(({ seq }) => seq)).toEqual([65_534, 65_535, 0]);
  expect(sent.slice(0, 3).map(({ timestamp }) => timestamp)).toEqual([0xffff_ff00, 0xffff_ffa0, 0x40]);
  expect(sent.map(({ marker }) => marker).indexOf(true, 1)).toBe(-1);
  const pcm = Int16Array.from(sent.flatMap(({ payload }) => [...decodeUlaw(payload)]));
  expect(toneLevel(pcm, 8000, 333)).toBeGreaterThan(0.99);
});

test('a recording is followed by silence, or by itself', () => {
  const pcm = new Int16Array(240).fill(1000);
  const once = stream();
  once.setSound({ pcm });
  const heard = (caller: CallerStream) => packets(caller, 3).flatMap(({ payload }) => [...decodeUlaw(payload)]);
  expect(heard(once).filter((sample) => sample !== 0)).toHaveLength(240);
  const forever = stream();
  forever.setSound({ pcm, repeat: true });
  expect(heard(forever).filter((sample) => sample !== 0)).toHaveLength(480);
});

test('a digit is sent as RFC 4733 says, in place of the sound', () => {
  const caller = stream();
  packets(caller, 2);
  caller.press('5#');
  const sent = packets(caller, 16);
  const digits = sent.filter(({ payloadType }) => payloadType === 101);
  const events = digits.map(({ payload }) => decodeTelephoneEvent(payload));
  expect(events.map((event) => event?.event)).toEqual([5, 5, 5, 5, 5, 5, 5, 11, 11, 11, 11, 11, 11, 11]);
  expect(events.slice(0, 7).map((event) => event?.duration)).toEqual([160, 320, 480, 640, 800, 800, 800]);
  expect(events.slice(0, 7).map((event) => event?.end)).toEqual([false, false, false, false, true, true, true]);
  expect(digits.slice(0, 7).map(({ marker }) => marker)).toEqual([true, false, false, false, false, false, false]);
  expect(new Set(digits.map(({ timestamp }) => timestamp)).size).toBe(2);
  // Between them sound is sent again.
  expect(sent.slice(7, 10).map(({ payloadType }) => payloadType)).toEqual([0, 0, 0]);
});

test('time that was left out is left out of the timestamps', () => {
  const caller = stream();
  const [first] = packets(caller, 1);
  const [second] = caller.next(3).map((datagram) => parseRtp(datagram));
  expect(((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe(4 * 160);
});

test('what is no key is named', () => {
  expect(() => stream().press('1x')).toThrow('x is no key');
});

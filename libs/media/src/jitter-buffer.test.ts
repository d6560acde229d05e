import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JitterBuffer } from './jitter-buffer.ts';
import { SimulatedTime } from './simulated-time.ts';

const packet = (i: number) => ({
  payloadType: 0,
  marker: false,
  seq: i & 0xffff,
  timestamp: (4_294_960_000 + i * 160) >>> 0,
  ssrc: 1,
  payload: new Uint8Array(160),
});

/** Puts packet after packet, each so many milliseconds later than it should come; says when each was delivered. */
function play(late: number[]) {
  const time = new SimulatedTime(10_000);
  const delivered: Array<{ seq: number; at: number; lost: number }> = [];
  const buffer = new JitterBuffer({
    sampleRate: 8000,
    time,
    deliver: ({ seq }, lost) => delivered.push({ seq, at: time.now() - 10_000, lost }),
  });
  const delays: number[] = [];
  let last = 0;
  late.forEach((ms, i) => {
    // What comes later stays behind: the stream is in order.
    last = Math.max(last, 20 * i + ms);
    time.pass(Math.max(0, last - (time.now() - 10_000)));
    buffer.put(packet(i), i);
    delays.push(buffer.delayMs);
  });
  return { time, delivered, buffer, delays };
}

const uneven = (packets: number, ms: number) => Array.from({ length: packets }, (_, i) => ((i * 7) % 5) * (ms / 4));

describe('the jitter buffer', () => {
  test('hands on at once where packets come evenly, or nearly so', () => {
    for (const ms of [0, 4]) {
      const { delivered, delays } = play(uneven(200, ms));
      expect(delivered.map(({ at }) => at)).toEqual(uneven(200, ms).map((late, i) => 20 * i + late));
      expect(Math.max(...delays)).toBe(0);
    }
  });

  test('does not delay after a single stall, when all that waited comes at once', () => {
    const stall = Array.from({ length: 15 }, (_, i) => 300 - 20 * i);
    const { delivered, delays } = play([...new Array(50).fill(0), ...stall, ...new Array(50).fill(0)]);
    expect(Math.max(...delays)).toBe(0);
    expect(delivered).toHaveLength(115);
  });

  test('evens out what comes unevenly', () => {
    const { delivered, delays } = play(uneven(300, 40));
    expect(delays.at(-1)).toBeGreaterThanOrEqual(40);
    const settled = delivered.slice(150).map(({ at }) => at);
    const steps = settled.slice(1).map((at, i) => at - (settled[i] as number));
    for (const step of steps) expect(Math.abs(step - 20)).toBeLessThan(1);
  });

  test('delays by no more than its bound', () => {
    const { delays } = play(Array.from({ length: 300 }, (_, i) => (i % 40 === 0 ? 700 : 0)));
    expect(Math.max(...delays)).toBe(120);
  });

  test('gives back the delay slowly when the jitter is over', () => {
    const { delays } = play([...uneven(100, 60), ...new Array(700).fill(0)]);
    const highest = Math.max(...delays);
    expect(highest).toBeGreaterThanOrEqual(60);
    // One frame less each second, and none in between.
    for (let i = 1; i < delays.length; i += 1)
      expect((delays[i - 1] as number) - (delays[i] as number)).toBeLessThanOrEqual(20);
    const shrinks = delays.flatMap((delay, i) => (i > 0 && delay < (delays[i - 1] as number) ? [i] : []));
    for (let i = 1; i < shrinks.length; i += 1)
      expect((shrinks[i] as number) - (shrinks[i - 1] as number)).toBeGreaterThanOrEqual(50);
    expect(delays.at(-1)).toBe(0);
  });

  test('follows a sender whose clock is slower or faster', () => {
    for (const perPacket of [0.004, -0.004]) {
      const { delivered } = play(Array.from({ length: 20_000 }, (_, i) => 100 + i * perPacket));
      expect(delivered).toHaveLength(20_000);
      expect(delivered.every(({ at, seq }, i) => seq === (i & 0xffff) && at >= 20 * i - 1)).toBe(true);
    }
  });

  test('takes a jump of the timestamps for a new beginning', () => {
    const { time, buffer, delivered } = play(uneven(100, 60));
    buffer.put({ ...packet(100), timestamp: 5 }, 0);
    expect(delivered).toHaveLength(100);
    time.pass(20);
    buffer.put({ ...packet(101), timestamp: 165 }, 0);
    time.pass(120);
    expect(delivered).toHaveLength(102);
  });

  test('says nothing after it was closed, and leaves no timer behind', () => {
    const { time, buffer, delivered } = play(uneven(100, 60));
    const before = delivered.length;
    expect(before).toBeLessThan(100);
    buffer.close();
    expect(time.timers).toBe(0);
    time.pass(1000);
    expect(delivered).toHaveLength(before);
  });

  test('delivers each packet once, in order, with what was lost before it, within its bound', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 }), (late) => {
        const { time, delivered } = play(late);
        time.pass(1000);
        expect(delivered.map(({ seq }) => seq)).toEqual(late.map((_, i) => i));
        expect(delivered.every(({ lost }, i) => lost === i)).toBe(true);
      }),
    );
  });
});

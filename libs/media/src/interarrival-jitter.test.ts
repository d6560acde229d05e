import { describe, expect, test } from 'vitest';
import { InterarrivalJitter } from './interarrival-jitter.ts';

/** Packets of 20 ms, each so much later than it should be. */
function jitterOf(late: number[], firstTimestamp = 0): InterarrivalJitter {
  const jitter = new InterarrivalJitter(8000);
  late.forEach((ms, i) => {
    jitter.add(5000 + i * 20 + ms, (firstTimestamp + i * 160) >>> 0);
  });
  return jitter;
}

describe('jitter', () => {
  test('is none where packets come as they were sent, over the end of the timestamps', () => {
    expect(jitterOf(new Array(50).fill(7), 2 ** 32 - 500).maxMs).toBe(0);
  });

  test('comes to the mean difference from packet to packet', () => {
    const jitter = jitterOf(Array.from({ length: 200 }, (_, i) => (i % 2) * 10));
    expect(jitter.ms).toBeCloseTo(10, 1);
    expect(jitter.maxMs).toBeCloseTo(10, 1);
  });

  test('of one late packet is a sixteenth, twice, and fades', () => {
    const jitter = jitterOf([0, 0, 16, ...new Array(100).fill(0)]);
    expect(jitter.maxMs).toBeCloseTo(1 + 15 / 16, 5);
    expect(jitter.ms).toBeLessThan(0.01);
  });

  test('is not what a new beginning makes', () => {
    const jitter = jitterOf([0, 0]);
    jitter.add(5040, 3_000_000_000);
    jitter.add(5060, 3_000_000_160);
    expect(jitter.maxMs).toBe(0);
  });
});

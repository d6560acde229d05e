import { expect, test } from 'vitest';
import { memoryTrend } from './memory-trend.ts';

const samples = (bytesAt: (n: number) => number) =>
  Array.from({ length: 30 }, (_, n) => ({ atMs: n * 60_000, bytes: bytesAt(n) }));

test('memory that is the same, but for garbage, is flat, whatever it grew to at first', () => {
  const { first, last, perHour } = memoryTrend(samples((n) => (n < 6 ? 10 * n : 100 + (n % 2))));
  expect(last - first).toBe(0);
  expect(Math.abs(perHour)).toBeLessThan(1);
});

test('memory that grows is told by how much', () => {
  const { first, last, perHour } = memoryTrend(samples((n) => 1000 + 5 * n));
  expect(last - first).toBe(5 * 16);
  expect(perHour).toBeCloseTo(300, 6);
});

test('what could not be measured is no number', () => {
  expect(memoryTrend([]).first).toBeNaN();
});

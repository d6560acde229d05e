import { expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

test('tells what a share of all took, and is the same in another process', () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 100; ms += 1) histogram.add(ms);
  const same = new LatencyHistogram(JSON.parse(JSON.stringify(histogram.counts)));
  expect(same.quantileMs(0.5)).toBeCloseTo(50.1);
  expect(same.quantileMs(0.99)).toBeCloseTo(99.1);
  expect(same.quantileMs(1)).toBeCloseTo(100.1);
});

test('knows nothing of nothing', () => {
  expect(new LatencyHistogram().quantileMs(0.99)).toBeNaN();
});

import { percentile } from '../measurement.ts';

/** How memory went over a run, bytes. */
export interface MemoryTrend {
  /** Median of the first third of what is looked at, and of the last. */
  readonly first: number;
  readonly last: number;
  /** Of a straight line through all of it, by least squares. */
  readonly perHour: number;
  /** Of the whole run, what lies between the middles of these two thirds. */
  readonly share: number;
}

export interface MemorySample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Left out at the start: a heap takes its time to grow to the size that it then has. */
const WARM_UP_SHARE = 0.2;

/** @param samples in the order in which they were taken; NaN where nothing could be told */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const median = (part: readonly MemorySample[]) =>
    percentile(
      part.map(({ bytes }) => bytes),
      0.5,
    );
  return {
    first: median(warm.slice(0, third)),
    last: median(warm.slice(-third)),
    perHour: slopeOf(warm) * 3_600_000,
    share: (1 - WARM_UP_SHARE) * (2 / 3),
  };
}

/** Bytes per millisecond. */
function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [at, bytes] = [mean(({ atMs }) => atMs), mean((sample) => sample.bytes)];
  return mean((sample) => (sample.atMs - at) * (sample.bytes - bytes)) / mean((sample) => (sample.atMs - at) ** 2);
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { meter } from './metrics.ts';

/** The event loop's delay is told of the last whole window: a scrape must not shorten the one that the next reads. */
const WINDOW_MS = 15_000;
const RESOLUTION_MS = 10;

interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures this process: its event loop, its processor time, its memory. Names are OpenTelemetry's own. */
export function startProcessMetrics(): void {
  measureEventLoop();
  meter
    .createObservableCounter('process.cpu.time', { description: 'Processor time used', unit: 's' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { 'cpu.mode': 'user' });
      result.observe(system / 1e6, { 'cpu.mode': 'system' });
    });
  meter
    .createObservableGauge('process.memory.usage', { description: 'Memory in use (resident set)', unit: 'By' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableGauge('v8js.memory.heap.used', { description: 'JavaScript heap in use', unit: 'By' })
    .addCallback((result) => result.observe(process.memoryUsage().heapUsed));
}

function measureEventLoop(): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // It counts its own pause between two looks as delay.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) / 1e3;
  const read = (): LoopDelay => ({
    p50: seconds(histogram.percentile(50)),
    p99: seconds(histogram.percentile(99)),
    max: histogram.count === 0 ? 0 : seconds(histogram.max),
  });
  let last: LoopDelay | undefined;
  setInterval(() => {
    last = read();
    histogram.reset();
  }, WINDOW_MS).unref();
  for (const which of ['p50', 'p99', 'max'] as const)
    meter
      .createObservableGauge(`nodejs.eventloop.delay.${which}`, {
        description: `Delay of the event loop in the last 15 s, ${which}`,
        unit: 's',
      })
      .addCallback((result) => result.observe((last ?? read())[which]));
}

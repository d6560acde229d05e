import { expect, test } from 'vitest';
import { clusterMeasures } from './cluster-bench.ts';
import type { SetUpRound } from './set-up-round.ts';

function round(perSecond: number, p99: number, { failed = 0, own = 4, gateways = 1 } = {}): SetUpRound {
  const size = { gateways, workers: gateways, pbxs: 1 };
  const coreMsPerCall = { gateways: own / 2, workers: own / 2, nats: 0, redis: 0, pbxs: 9 };
  const setUpMs = { p50: 5, p99, longest: p99 };
  const storesPerCall = { natsIn: 30, natsOut: 40, redis: 5 };
  const rest = { carriedPerSecond: perSecond, cores: 1, othersCores: 0, idleCores: coreMsPerCall, storesPerCall };
  return { size, perSecond, calls: 100, failed, setUpMs, coreMsPerCall, ...rest };
}

const measured = (measures: ReturnType<typeof clusterMeasures>, what: string) =>
  measures.find((measure) => measure.what === what)?.value;

test('a rate counts when nobody waited long and nobody was lost, also at the second try', () => {
  const rates = [round(100, 20), round(200, 300), round(200, 90), round(300, 20, { failed: 1 })];
  const measures = clusterMeasures({ rates, sizes: [], pbxCounts: [] });
  expect(measured(measures, 'calls set up per second')).toBe(200);
  expect(measured(measures, 'set-up p99 at that rate')).toBe(90);
});

test('growth is of what is ours: what the simulated PBXs cost does not count', () => {
  const sizes = [round(80, 20, { own: 4 }), round(80, 20, { own: 5, gateways: 4 })];
  const measures = clusterMeasures({ rates: [round(50, 20)], sizes, pbxCounts: sizes });
  expect(measured(measures, 'cost of a call, 4 gateways and workers, times that of 1')).toBeCloseTo(1.25);
});

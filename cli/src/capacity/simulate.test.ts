import { beforeEach, describe, expect, test } from 'vitest';
import { COSTS } from './costs.ts';
import { type Load, planFor } from './plan.ts';
import { CALL_STEPS, type SimulatedFleet, simulate } from './simulate.ts';
import { Station } from './stations.ts';

const load: Load = { calls: 5000, callsPerSecond: 50, audioShare: 1, aiShare: 1, eventsPerCall: 20 };
const fleet: SimulatedFleet = { gateways: 2, workers: 11, nats: 1, redis: 1 };

let random: () => number;
beforeEach(() => {
  // The same in each run (Park and Miller).
  let state = 42;
  random = () => {
    state = (state * 48271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
});

test('a station serves one after another, on as many threads as it has', () => {
  const one = new Station(1);
  expect([one.serve(0, 10), one.serve(1, 10), one.serve(50, 10)]).toEqual([10, 20, 60]);
  expect(one.busyMs).toBe(30);
  const two = new Station(2);
  expect([two.serve(0, 10), two.serve(1, 10), two.serve(2, 10)]).toEqual([10, 11, 20]);
});

test('what a call costs each part is all spent on its way', () => {
  const steps = Object.values(CALL_STEPS).flat();
  for (const part of ['gateways', 'workers', 'nats', 'redis'] as const)
    expect(steps.filter((step) => step.part === part).reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
});

describe('a simulated fleet', () => {
  test('is as busy as the plan says', () => {
    const { cores } = simulate(load, fleet, { seconds: 30, random });
    const idle = { gateways: 2 * COSTS.gatewayCoresIdle.value, workers: 11 * COSTS.workerCoresIdle.value };
    const planned = Object.fromEntries(planFor(load).parts.map((part) => [part.part.toLowerCase(), part.cores]));
    expect(cores.gateways / (Number(planned.gateways) - idle.gateways)).toBeCloseTo(1, 1);
    expect(cores.workers / (Number(planned.workers) - idle.workers)).toBeCloseTo(1, 1);
    expect(cores.nats / Number(planned.nats)).toBeCloseTo(1, 1);
    expect(cores.redis / Number(planned.redis)).toBeCloseTo(1, 1);
  });

  test('sets calls up in the time of their steps while there is room, and later as it fills', () => {
    const light = simulate({ ...load, callsPerSecond: 5 }, fleet, { seconds: 40, random });
    const heavy = simulate({ ...load, callsPerSecond: 400 }, fleet, { seconds: 4, random });
    const over = simulate({ ...load, callsPerSecond: 1000 }, fleet, { seconds: 4, random });
    expect(light.setUpMs.p50).toBeGreaterThan(2);
    expect(light.setUpMs.p50).toBeLessThan(6);
    expect(heavy.setUpMs.p99).toBeGreaterThan(light.setUpMs.p99);
    expect(over.fullest.gateways).toBeGreaterThan(0.99);
    expect(over.setUpMs.p99, 'they wait ever longer').toBeGreaterThan(500);
  });

  test('refuses calls for which no worker has room, and no others', () => {
    expect(simulate(load, fleet, { random })).toMatchObject({ refused: 0 });
    const full = simulate(load, { ...fleet, workers: 10 }, { random });
    expect(full.mostCallsOfWorker).toBe(COSTS.callsPerWorker.value);
    expect(full.refused).toBeGreaterThan(0);
    expect(full.refused).toBeLessThan(full.calls);
  });
});

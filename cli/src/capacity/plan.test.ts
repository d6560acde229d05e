import { expect, test } from 'vitest';
import { COSTS } from './costs.ts';
import { type Load, loadOfRegion, planFor } from './plan.ts';

const load: Load = { calls: 5000, callsPerSecond: 50, audioShare: 1, aiShare: 1, eventsPerCall: 20 };
const part = (of: Load, name: string) => planFor(of).parts.find((one) => one.part === name);

test('twice the load takes twice the busy cores, network and messages', () => {
  const [once, twice] = [planFor(load), planFor({ ...load, calls: 10_000, callsPerSecond: 100 })];
  expect(twice.natsMessagesPerSecond).toBeCloseTo(2 * once.natsMessagesPerSecond);
  expect(twice.network.rtp).toBeCloseTo(2 * once.network.rtp);
  expect(part({ ...load, calls: 10_000 }, 'relays')?.cores).toBeCloseTo(2 * (part(load, 'relays')?.cores ?? 0));
});

test('calls without audio need no relay and no network for it', () => {
  const silent = { ...load, audioShare: 0 };
  expect(part(silent, 'relays')).toMatchObject({ count: 0, cores: 0, memoryMiB: 0 });
  expect(planFor(silent).network).toMatchObject({ rtp: 0, ai: 0 });
});

test('however small the load, a gateway, a worker and a relay may die', () => {
  const small = { ...load, calls: 1, callsPerSecond: 0.01 };
  for (const name of ['gateways', 'workers', 'relays']) expect(part(small, name)?.count).toBe(2);
  expect(part(small, 'PBXs')?.count).toBe(1);
});

test('short calls take cores where long ones take memory: workers are as many as either needs', () => {
  expect(part({ ...load, calls: 10_000, callsPerSecond: 1 }, 'workers')?.count).toBe(21);
  expect(part({ ...load, calls: 100, callsPerSecond: 1000 }, 'workers')?.count).toBe(
    Math.ceil((COSTS.workerMsPerCall.value + 20 * COSTS.workerMsPerEvent.value) / COSTS.busyShare.value),
  );
});

test('what is fullest is told first, with what to do about it', () => {
  const { limits } = planFor({ ...load, calls: 100_000, callsPerSecond: 1000 });
  expect(limits[0]?.share).toBeGreaterThan(1);
  expect(limits.map(({ share }) => share)).toEqual(limits.map(({ share }) => share).sort((a, b) => b - a));
  expect(part({ ...load, calls: 100_000, callsPerSecond: 1000 }, 'PBXs')?.count).toBe(100);
});

test('each region carries its share of those that a lost one leaves behind', () => {
  expect(loadOfRegion(load, 1)).toEqual(load);
  expect(loadOfRegion(load, 2)).toEqual(load);
  expect(loadOfRegion(load, 3)).toMatchObject({ calls: 2500, callsPerSecond: 25, eventsPerCall: 20 });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  expectAsBefore,
  expectHeardAllTheTime,
  expectLeft,
  expectTypedAll,
  outage,
  placeCalls,
} from './outage-calls.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

beforeAll(async () => {
  system = await startTestFleet();
});
afterAll(() => system?.stop());

test('NATS is away for half a minute: bots go on talking, and programs learn what happened meanwhile', async () => {
  const calls = await placeCalls(system, 6000);
  const isBack = new Promise<void>((resolve) => system.bus.onReconnect(resolve));
  const since = await outage(system.nats, calls);
  await isBack;
  const backAt = performance.now();
  await expectLeft(system, calls);
  // Well under the 5 s that a publish under way would wait for its acknowledgement.
  expect(performance.now() - backAt, 'until the records of calls that ended meanwhile').toBeLessThan(3000);
  expectHeardAllTheTime(calls, since);
  await expectTypedAll(system, calls);
  await expectAsBefore(system, calls, 6100);
}, 150_000);

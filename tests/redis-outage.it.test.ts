import { setTimeout as wait } from 'node:timers/promises';
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

test('Redis is away for half a minute, and comes back empty: no call is dropped, and none waits for it', async () => {
  const calls = await placeCalls(system, 6200);
  const ended = calls.map(({ types }) => types.call.finished.then(() => Date.now()));
  const since = await outage(system.redis, calls);
  const backAt = Date.now();
  for (const endedAt of await Promise.all(ended)) expect(endedAt).toBeLessThan(backAt);
  await expectLeft(system, calls);
  await expectTypedAll(system, calls);
  expectHeardAllTheTime(calls, since);
  // Nobody takes anything until all had time to say what they hold.
  await wait(3000);
  await expectAsBefore(system, calls, 6300);
}, 150_000);

import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { hearAgain, talkingCallers } from './talking-callers.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

afterEach(() => system?.stop());

test('a relay is killed: its callers are in conversation again, in the other relay, and nothing is left', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers(system);
  await system.fleet.relays[0]?.kill();
  const records = await hearAgain(system, calls, 'pbx-b');
  // Those of the relay that lives were not moved.
  const moved = records.filter(({ unmeasured }) => unmeasured);
  expect(moved).toHaveLength(4);
  for (const { unmeasured, media } of moved) {
    expect(unmeasured).toEqual([
      {
        provider: 'echo',
        relay: expect.stringMatching('pbx-a'),
        startedAt: expect.any(String),
        lostAt: expect.any(String),
      },
    ]);
    expect(media).toHaveLength(1);
  }
  await system.expectNothingLeft();
}, 60_000);

test('a relay is stopped under live calls: they go on in the other one', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers(system);
  await system.fleet.relays[1]?.stop();
  const records = await hearAgain(system, calls, 'pbx-a');
  expect(records.filter(({ unmeasured }) => unmeasured)).toEqual([]);
  await system.expectNothingLeft();
}, 60_000);

test('a relay that hangs is given up, and its callers go on in the other one', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers(system);
  const relay = system.fleet.relays[0];
  process.kill(relay?.pid ?? 0, 'SIGSTOP');
  await wait(5000);
  await hearAgain(system, calls, 'pbx-b');
  process.kill(relay?.pid ?? 0, 'SIGCONT');
  await system.expectNothingLeft();
}, 60_000);

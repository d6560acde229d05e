import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { shareFleet } from './shared-fleet.ts';
import { hearAgain, talkingCallers } from './talking-callers.ts';
import type { TestFleet } from './test-fleet.ts';

let system: TestFleet;

shareFleet(
  () => ({}),
  (whole) => {
    system = whole;
  },
);

function relayNear(pbx: string) {
  const relay = system.fleet.relays.find(({ name }) => name.startsWith(`relay-${pbx}-`));
  if (!relay) throw new Error(`no relay near ${pbx}`);
  return relay;
}

test('a relay is killed: its callers are in conversation again, in the other relay, and nothing is left', async () => {
  const calls = await talkingCallers(system);
  await relayNear('pbx-a').kill();
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
  const calls = await talkingCallers(system);
  await relayNear('pbx-b').stop();
  const records = await hearAgain(system, calls, 'pbx-a');
  expect(records.filter(({ unmeasured }) => unmeasured)).toEqual([]);
  await system.expectNothingLeft();
}, 60_000);

test('a relay that hangs is given up, and its callers go on in the other one', async () => {
  const calls = await talkingCallers(system);
  const { pid } = relayNear('pbx-a');
  if (pid === undefined) throw new Error('no process');
  process.kill(pid, 'SIGSTOP');
  // Silent for three seconds, it is given up.
  await wait(1000);
  await hearAgain(system, calls, 'pbx-b');
  process.kill(pid, 'SIGCONT');
  await system.expectNothingLeft();
}, 60_000);

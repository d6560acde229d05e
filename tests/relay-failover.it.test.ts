import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import { hearAgain, talkingCallers } from './talking-callers.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

afterEach(() => system?.stop());

test('a relay is killed: its callers are in conversation again, in the other relay, and nothing is left', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers(system);
  await system.fleet.relays[0]?.kill();
  await hearAgain(system, calls, 'pbx-b');
  await system.expectNothingLeft();
}, 60_000);

test('a relay is stopped under live calls: they go on in the other one', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers(system);
  await system.fleet.relays[1]?.stop();
  await hearAgain(system, calls, 'pbx-a');
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

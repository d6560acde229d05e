import { setTimeout as wait } from 'node:timers/promises';
import { placeCall } from '@callfleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;
afterEach(() => system?.stop());

test('a command that waits for the end of a sound holds up no other call', async () => {
  system = await startTestFleet({ pbxs: [{ name: 'pbx-a', transport: 'rtp' }], gateways: 1, workers: 1 });
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const place = (extension: string, from: number) =>
    placeCall({ to: pbx.sipAddress, extension, from: String(from), audio: { toneHz: 700 } });
  // On both shards.
  const slow = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => place('550', 5500 + n)));
  await Promise.all(slow.map((call) => call.answered));
  await wait(1000);
  const quick = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => place('100', 5600 + n)));
  await Promise.all(quick.map((call) => call.waitForTone(700, 2500)));
  for (const call of slow)
    expect(call.heard.longestSilenceMs({ fromMs: call.now() - 1000 }), 'it plays yet').toBeLessThan(1000);
  await Promise.all(quick.map((call) => call.hangUp()));
  for (const call of slow) expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
  await system.expectNothingLeft();
}, 60_000);

import { setTimeout as wait } from 'node:timers/promises';
import { placeCall } from '@callfleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

beforeEach(async () => {
  system = await startTestFleet();
});
afterEach(() => system?.stop());

async function talkingCalls(first: number) {
  return Promise.all(
    system.pbxs.map(async (pbx, n) => {
      const from = String(first + n);
      const toneHz = 500 + 200 * n;
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz } });
      await call.waitForTone(toneHz, 10_000);
      return { call, from, toneHz };
    }),
  );
}

test('NATS dies for ten seconds: bots go on talking, and hang-ups meanwhile come to their records', async () => {
  const calls = await talkingCalls(6000);
  const [first, second] = calls;
  if (!first || !second) throw new Error('no calls');
  await system.nats.kill();
  const from = second.call.now();
  await wait(5000);
  await first.call.hangUp();
  await wait(5000);
  await system.nats.restart();
  expect(second.call.heard.longestSilenceMs({ fromMs: from, toMs: second.call.now() })).toBeLessThan(1000);
  expect(await system.recordOf(first.from)).toMatchObject({ endedBy: 'caller' });
  await second.call.waitForTone(second.toneHz, 2000);
  await second.call.hangUp();
  expect(await system.recordOf(second.from)).toMatchObject({ endedBy: 'caller' });
  for (const { call, from: caller } of await talkingCalls(6100)) {
    await call.hangUp();
    expect(await system.recordOf(caller)).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
  }
});

test('Redis dies, and comes back empty: no call is dropped, and new ones are served', async () => {
  const calls = await talkingCalls(6200);
  await system.redis.kill();
  const since = calls.map(({ call }) => call.now());
  await wait(3000);
  await system.redis.restart();
  await wait(3000);
  for (const [n, { call }] of calls.entries())
    expect(call.heard.longestSilenceMs({ fromMs: since[n] ?? 0, toMs: call.now() })).toBeLessThan(1000);
  for (const { call, from } of calls) {
    await call.hangUp();
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller', takeovers: 0 });
  }
  for (const { call, from } of await talkingCalls(6300)) {
    await call.hangUp();
    expect(await system.recordOf(from)).toMatchObject({ program: { name: 'echo-bot' } });
  }
  await system.expectNothingLeft();
});

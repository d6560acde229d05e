import { setTimeout as wait } from 'node:timers/promises';
import type { CallEvent } from '@callfleet/bus';
import { placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const FROM = '6201';
/** Says something for a third of a second, and pauses, over and over: each makes a relay tell of a turn. */
const TALKS = { pcm: tone(700, 300, 1200), repeat: true };

let system: TestFleet;

beforeAll(async () => {
  system = await startTestFleet({ config: { relay: { maxHeldEvents: 1 } } });
});
afterAll(() => system?.stop());

/** What relays have told of their conversations. */
async function toldByRelays(): Promise<CallEvent[]> {
  const told: CallEvent[] = [];
  const { messages } = (await system.bus.jsm.streams.info('CALLS')).state;
  for await (const message of await system.bus.jsm.direct.getBatch('CALLS', { seq: 1, batch: messages + 1 }))
    if (message.subject.endsWith('.ev')) told.push(message.json<CallEvent>());
  return told.filter(({ type }) => type.startsWith('media.'));
}

test('while NATS is away a relay with no room in memory keeps on disk what it tells, and loses nothing', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension: '200', from: FROM, audio: TALKS });
  const turns = async () => (await toldByRelays()).filter(({ type }) => type === 'media.turn').length;
  await expect.poll(() => turns().catch(() => 0), { timeout: 10_000 }).toBeGreaterThan(0);
  const isBack = new Promise<void>((resolve) => system.bus.onReconnect(resolve));
  const before = (await toldByRelays()).length;
  await system.nats.kill();
  await wait(5000);
  await system.nats.restart();
  await isBack;
  await call.hangUp();
  expect((await system.recordOf(FROM)).media).toHaveLength(1);
  expect(system.complaints.filter((line) => line.includes('event.lost'))).toEqual([]);
  const told = await toldByRelays();
  expect(told.length, 'much was told meanwhile').toBeGreaterThan(before + 4);
  expect(told.map(({ seq }) => seq)).toEqual(told.map((_, n) => n + 1));
}, 60_000);

/** 8 kHz samples: a tone, and then silence to the end. */
function tone(hz: number, toneMs: number, ms: number): Int16Array {
  return Int16Array.from({ length: 8 * ms }, (_, n) =>
    n < 8 * toneMs ? Math.round(16_000 * Math.sin((2 * Math.PI * hz * n) / 8000)) : 0,
  );
}

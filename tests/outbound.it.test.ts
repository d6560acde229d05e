import { claimPort, placeCall } from '@callfleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diallingEntry, diallingFiles } from './dialling-pbx.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const LONG = { timeout: 20_000, interval: 20 };
const SHARDS = ['callfleet-1', 'callfleet-2'];

let system: TestFleet;
let callers = 5000;
/** What gateways log of their shards. */
let told: { msg: string; instance: string; shard: string }[];

beforeEach(async () => {
  told = [];
  const dialling = { port: await claimPort(), shards: SHARDS };
  system = await startTestFleet({
    pbxs: [{ name: 'pbx-a', transport: 'rtp', files: diallingFiles(dialling) }],
    config: {
      pbxs: [diallingEntry(dialling)],
      gateway: { listen: { host: '127.0.0.1', port: dialling.port }, strayAfterMs: 1000 },
      telemetry: { level: 'info' },
    },
    onLine: (name, line) => {
      if (!line.startsWith('{')) return console.warn(`${name}: ${line}`);
      const parsed = JSON.parse(line) as { level: string; msg: string; instance: string; shard: string };
      if (name.startsWith('gateway')) told.push(parsed);
      if (parsed.level !== 'info' || parsed.msg.startsWith('shard.')) console.warn(`${name}: ${line}`);
    },
  });
});
afterEach(() => system?.stop());

/** The gateways that have the shards, as they said last. */
function holders(): string[] {
  const found = new Map<string, string>();
  for (const { msg, instance, shard } of told)
    if (msg === 'shard.connected') found.set(shard, instance.slice(0, instance.lastIndexOf('-')));
  return SHARDS.map((shard) => found.get(shard) ?? 'nobody');
}

async function place(extension: string, toneHz?: number) {
  callers += 1;
  const from = String(callers);
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension, from, ...(toneHz && { audio: { toneHz } }) });
  await call.answered;
  return { call, from, toneHz: toneHz ?? 0 };
}

test('a PBX that dials the gateways is served, and when one stops, it dials the other and its calls go on', async () => {
  await expect.poll(holders, LONG).not.toContain('nobody');
  const talks = await Promise.all([600, 700, 800, 900].map((hz) => place('100', hz)));
  await Promise.all(talks.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  const counting = await Promise.all([1, 2, 3, 4].map(() => place('501')));
  const since = talks.map(({ call }) => call.now());
  const pressAll = async (digits: string) => {
    for (const digit of digits) {
      for (const { call } of counting) call.sendDtmf(digit);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };

  const [first] = holders();
  const pressing = pressAll('0123456789012345');
  await system.fleet.gateways.find(({ name }) => name === first)?.stop();
  await expect.poll(() => holders().includes(first ?? ''), LONG).toBe(false);
  await pressing;
  const later = await place('100', 1000);
  await later.call.waitForTone(1000, 10_000);
  await later.call.hangUp();
  await pressAll('6789');

  for (const [n, { call, toneHz }] of talks.entries()) {
    const stretch = { fromMs: since[n] ?? 0, toMs: call.now() };
    expect(call.heard.longestSilenceMs(stretch), 'silence').toBeLessThan(1000);
    await call.waitForTone(toneHz, 2000);
    await call.hangUp();
  }
  for (const { call } of counting) call.sendDtmf('#');
  for (const { call, from } of counting) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'program', digits: 21, takeovers: 0 });
  }
  for (const { from } of [...talks, later])
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller', takeovers: 0 });
  await system.expectNothingLeft();
}, 90_000);

test('a PBX that is started again dials again, and is served as before', async () => {
  await expect.poll(holders, LONG).not.toContain('nobody');
  const [pbx] = system.pbxs;
  await pbx?.kill();
  await expect.poll(() => told.filter(({ msg }) => msg === 'shard.socket-lost').length, LONG).toBe(2);
  told = [];
  await pbx?.restart();
  await expect.poll(holders, LONG).not.toContain('nobody');
  const { call, from } = await place('100', 1000);
  await call.waitForTone(1000, 10_000);
  await call.hangUp();
  expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
  await system.expectNothingLeft();
}, 90_000);

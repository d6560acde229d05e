import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bus, type CallEvent, callHistory, connectBus } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { Fleet } from '@callfleet/supervise';
import {
  asteriskTime,
  FakeAsterisk,
  FakeCall,
  type NatsServer,
  type RedisServer,
  startNatsServer,
  startRedisServer,
} from '@callfleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EVENTS = 30;
const EVENT_EVERY_MS = 20;
/** All gateways see each other before any takes a shard, also where they start slowly. */
const SESSION_TTL_MS = 20_000;

let nats: NatsServer;
let redis: RedisServer;
let bus: Bus;
let folder: string;
let fleet: Fleet | undefined;
let pbxs: FakeAsterisk[] = [];

beforeEach(async () => {
  nats = await startNatsServer();
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), 'callfleet-shards-'));
});
afterEach(async () => {
  await bus?.close();
  await fleet?.stop();
  fleet = undefined;
  await Promise.all(pbxs.splice(0).map((pbx) => pbx.stop()));
  await redis?.stop();
  await nats?.stop();
  await rm(folder, { recursive: true, force: true });
});

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}-${n + 1}`);

async function startGateways(gateways: number, pbxCount: number, shards: readonly string[]): Promise<void> {
  pbxs = await Promise.all(names(pbxCount, 'pbx').map((name) => FakeAsterisk.start({ name })));
  const configFile = join(folder, 'callfleet.yaml');
  const config = {
    nats: { servers: [nats.url] },
    redis: { url: redis.url },
    pbxs: pbxs.map(({ name, httpUrl: url, username, password }) => ({ name, url, username, password, shards })),
    gateway: { spillFolder: join(folder, 'spill'), sessionTtlMs: SESSION_TTL_MS },
    telemetry: { level: 'error' },
  };
  await writeFile(configFile, JSON.stringify(config));
  fleet = await Fleet.start({
    configFile,
    serviceMain: (kind) => `${ROOT}services/${kind}/src/main.ts`,
    gateways,
    workers: 0,
    relays: [],
    onLine: (name, line) => console.warn(`${name}: ${line}`),
    onLost: (name, code) => console.warn(`${name} ended by itself (exit code ${code})`),
  });
  bus = await connectBus({ servers: [nats.url], name: 'test' });
  const served = () => pbxs.map((pbx) => pbx.applications);
  await expect.poll(served, { timeout: 30_000 }).toEqual(pbxs.map(() => [...shards].sort()));
}

/** One call comes in on each shard of each PBX, and goes. @returns what the bus has of each, by PBX and shard */
async function callsOnAll(shards: readonly string[]): Promise<Map<string, CallEvent[]>> {
  const calls = pbxs.flatMap((pbx) =>
    shards.map((shard, n) => ({ pbx, shard, call: new FakeCall(pbx.name, shard, n + 1, EVENTS) })),
  );
  for (const { pbx, shard, call } of calls)
    for (let at = Date.now(); !call.isOver; at += EVENT_EVERY_MS)
      expect(pbx.send(shard, [call.next(asteriskTime(at))])).toBe(true);
  const told = new Map<string, CallEvent[]>();
  for (const { pbx, shard, call } of calls) {
    const history = () => callHistory(bus, callIdOf(pbx.name, call.channelId));
    await expect.poll(async () => (await history()).length, { timeout: 15_000 }).toBe(EVENTS);
    told.set(`${pbx.name} ${shard}`, await history());
  }
  return told;
}

/** Each event once and in order, and all of them from one gateway. @returns which one */
function tellerOf(events: readonly CallEvent[]): string {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
  expect(events[0]?.type).toBe('ari.StasisStart');
  expect(events.at(-1)?.type).toBe('ari.ChannelDestroyed');
  const [teller, ...others] = new Set(events.map(({ source }) => source));
  expect(others).toEqual([]);
  return teller ?? '';
}

test('one gateway serves twenty PBXs, and tells all that happens on them', async () => {
  const shards = ['callfleet-1'];
  await startGateways(1, 20, shards);
  const told = await callsOnAll(shards);
  expect(told.size).toBe(20);
  expect(new Set([...told.values()].map(tellerOf)).size).toBe(1);
  for (const pbx of pbxs) expect(pbx.registrations('callfleet-1'), pbx.name).toBe(1);
});

test('five gateways share the twenty shards of one PBX: each is held once, and each gateway has four', async () => {
  const shards = names(20, 'callfleet');
  await startGateways(5, 1, shards);
  const told = await callsOnAll(shards);
  const shardsOf = new Map<string, number>();
  for (const events of told.values()) {
    const teller = tellerOf(events);
    shardsOf.set(teller, (shardsOf.get(teller) ?? 0) + 1);
  }
  expect([...shardsOf.values()]).toEqual([4, 4, 4, 4, 4]);
  for (const shard of shards) expect(pbxs[0]?.registrations(shard), shard).toBe(1);
});

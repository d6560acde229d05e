import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DialIn } from '@callfleet/ari';
import { connectRedis, type LeaseRedis, leaseOwners, type Presence } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { nameOf, type Shard } from '../names/shard.ts';
import type { Arrival } from '../shard/shard-link.ts';
import { DialledInShards } from './dialled-in-shards.ts';

const log = createLogger('test', 'test', { level: 'silent', format: 'json' });
const LONG = { timeout: 5000, interval: 5 };

let server: RedisServer;
let redis: LeaseRedis;
beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterAll(async () => {
  await redis?.quit();
  await server?.stop();
});

let shard: Shard;
/** What all gateways did, in order. */
let history: string[];
let presences: Map<string, Presence>;
beforeEach(() => {
  shard = { pbx: 'pbx-a', shard: randomUUID() };
  history = [];
  presences = new Map();
});

const owner = async () => (await leaseOwners(redis, [nameOf(shard)]))[0];

/** A gateway whose links are made by the test: each ends with `leave`, or when its socket is lost. */
function gateway(instance: string, leaseWithinMs = 2000) {
  const sockets: { lose: () => void; takeAway: () => void }[] = [];
  const shards = new DialledInShards({
    redis,
    session: { instance, isAlive: async () => true },
    presenceOf: async (other) => presences.get(other) ?? 'there',
    shardAt: (path) => (path === `/${shard.shard}` ? shard : undefined),
    open: (_shard, { onTaken }, { onEnded }: Arrival) => {
      const n = sockets.length + 1;
      sockets.push({ lose: onEnded, takeAway: onTaken });
      const tell = (what: string) => void history.push(`${instance} ${what} ${n}`);
      let isOver = false;
      const none = async () => {};
      return {
        connected: true,
        calls: 0,
        standBy: none,
        serve: () => tell('serves'),
        suspend: () => tell('suspends'),
        abandon: none,
        release: none,
        drain: async () => tell('drains'),
        close: none,
        leave: async () => {
          if (isOver) return;
          isOver = true;
          await wait(20);
          tell('leaves');
          onEnded();
        },
      };
    },
    connectWithinMs: 1000,
    leaseWithinMs,
    drainMs: 1000,
    log,
  });
  return { shards, sockets, dial: (path = `/${shard.shard}`) => shards.onDialIn(dialIn(instance, path)) };
}

function dialIn(instance: string, path: string): DialIn {
  return {
    path,
    from: '10.0.0.5',
    open: () => Promise.reject(new Error('the link does that')),
    refuse: () => void history.push(`${instance} refuses`),
  };
}

test('a shard is served where its socket arrives, and is nobody`s when it is gone', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  expect(await owner()).toBe('one');
  expect([...one.shards.all()]).toMatchObject([{ ...shard, connected: true }]);
  one.sockets[0]?.lose();
  await expect.poll(owner, LONG).toBeUndefined();
  expect([...one.shards.all()]).toEqual([]);
});

test('a PBX that dials another gateway is served there when the first has let go', async () => {
  const [one, two] = [gateway('one'), gateway('two')];
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  two.dial();
  await wait(250);
  expect(history).toEqual(['one serves 1']);
  one.sockets[0]?.lose();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'one leaves 1', 'two serves 1']);
  expect(await owner()).toBe('two');
});

test('from a gateway that is dead it is taken at once; from one that does not let go, not at all', async () => {
  const [one, two] = [gateway('one'), gateway('two', 150)];
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  two.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'two leaves 1']);
  presences.set('one', 'gone');
  two.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'two leaves 1', 'two serves 2']);
});

test('a PBX that dials the same gateway again has lost its socket: the old one is closed before the new one is served', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'one leaves 1', 'one serves 2']);
});

test('a stranger who takes the application has the PBX sent away, to dial again', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  one.sockets[0]?.takeAway();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'one leaves 1']);
  await expect.poll(owner, LONG).toBeUndefined();
});

test('in doubt it takes no commands until Redis says whose the shard is', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  one.shards.doubtAll();
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'one suspends 1', 'one serves 1']);
  const two = gateway('two');
  presences.set('one', 'gone');
  two.dial();
  await expect.poll(() => history.at(-1), LONG).toBe('two serves 1');
  one.shards.doubtAll();
  await expect.poll(() => history.slice(-2), LONG).toEqual(['one suspends 1', 'one leaves 1']);
  expect(await owner()).toBe('two');
});

test('a gateway that stops leaves every shard, and lets nobody in any more', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  await one.shards.stop();
  expect(history).toEqual(['one serves 1', 'one leaves 1']);
  expect(await owner()).toBeUndefined();
  one.dial();
  expect(history.at(-1)).toBe('one refuses');
});

test('a shard that is wanted no more is drained and left; one whose PBX has changed is left at once', async () => {
  const one = gateway('one');
  one.dial();
  await expect.poll(() => history, LONG).toEqual(['one serves 1']);
  one.shards.setShards(() => true, new Set(['pbx-a']));
  await expect.poll(() => history, LONG).toEqual(['one serves 1', 'one leaves 1']);
  await expect.poll(owner, LONG).toBeUndefined();
  one.dial();
  await expect.poll(() => history.at(-1), LONG).toBe('one serves 2');
  one.shards.setShards(() => false, new Set());
  await expect.poll(() => history.slice(-2), LONG).toEqual(['one drains 2', 'one leaves 2']);
});

test('who dials to what is no shard is sent away', () => {
  gateway('one').dial('/nothing');
  expect(history).toEqual(['one refuses']);
});

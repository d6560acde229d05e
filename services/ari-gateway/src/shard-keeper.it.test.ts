import { once } from 'node:events';
import { connectRedis, type LeaseRedis, Session } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ShardKeeper } from './shard-keeper.ts';

const SHARDS = ['one', 'two'].map((shard) => ({ pbx: 'pbx-a', shard }));

let server: RedisServer;
let redis: LeaseRedis;
const closing: Array<() => Promise<unknown>> = [];

beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await redis?.quit();
  await server?.stop();
});

/** A gateway's keeper, with sockets that stand when the test says so. */
async function startKeeper(instance: string, settleMs = 10) {
  const sockets = { connected: true };
  const links: string[] = [];
  /** Ends the calls on shards that drain. */
  const calls = Promise.withResolvers<void>();
  let keeper: ShardKeeper | undefined;
  const session = await Session.start(redis, {
    kind: 'gateway',
    instance,
    ttlMs: 1000,
    onAlive: (gateways) => keeper?.onGateways(gateways),
    onForgotten: () => keeper?.onForgotten(),
    onRenewalFailed: () => {},
  });
  const stopping = new AbortController();
  keeper = new ShardKeeper({
    redis,
    session,
    shards: SHARDS,
    settleMs,
    drainMs: 60_000,
    open: ({ shard }) => {
      links.push(`open ${shard}`);
      return {
        get connected() {
          return sockets.connected;
        },
        calls: 0,
        async drain(limitMs, signal) {
          links.push(limitMs > 0 ? `drain ${shard}` : `send back ${shard}`);
          if (limitMs > 0) await Promise.race([calls.promise, once(signal, 'abort')]);
        },
        async close() {
          links.push(`close ${shard}`);
        },
      };
    },
    log: createLogger('test', instance, { level: 'silent', format: 'json' }),
  });
  const running = keeper.run(stopping.signal);
  closing.push(async () => {
    stopping.abort();
    await running;
    await session.close();
  });
  return { keeper, sockets, links, endCalls: calls.resolve };
}

test('a gateway is ready when the sockets of all its shards stand', async () => {
  const { keeper, sockets } = await startKeeper('gateway-1');
  expect(keeper.whyNotReady()).toBe('not assigned yet');
  await expect.poll(() => keeper.whyNotReady(), { timeout: 5000 }).toBeUndefined();
  expect([...keeper.held()]).toHaveLength(2);
  sockets.connected = false;
  expect(keeper.whyNotReady()).toBe('shard/pbx-a/one is not connected, shard/pbx-a/two is not connected');
});

test('a gateway that comes later is ready too: its shards are with another that lives, until that one is gone', async () => {
  const second = await startKeeper('gateway-2');
  await expect.poll(() => [...second.keeper.held()], { timeout: 5000 }).toHaveLength(2);
  const first = await startKeeper('gateway-1');
  await expect.poll(() => first.keeper.whyNotReady(), { timeout: 5000 }).toBeUndefined();
  expect([...first.keeper.held()]).toEqual([]);
  await closing.shift()?.();
  await expect.poll(() => [...first.keeper.held()], { timeout: 5000 }).toHaveLength(2);
  expect(first.keeper.whyNotReady()).toBeUndefined();
});

test('Redis comes back empty: what a gateway holds stays with it', async () => {
  const keepers = await Promise.all(['gateway-1', 'gateway-2'].map((name) => startKeeper(name, 300)));
  const held = () => keepers.map(({ keeper }) => [...keeper.held()].map(({ shard }) => shard));
  await expect.poll(() => held().flat().toSorted(), { timeout: 5000 }).toEqual(['one', 'two']);
  const before = held();
  await redis.flushall();
  const isAsserted = async () => (await redis.keys('cf:lease:*')).length;
  await expect.poll(isAsserted, { timeout: 5000 }).toBe(2);
  // Longer than nobody takes anything.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(held()).toEqual(before);
});

test('a shard that is taken out is drained, and given up when its calls are over; the others are not touched', async () => {
  const { keeper, links, endCalls } = await startKeeper('gateway-1');
  await expect.poll(() => links, { timeout: 5000 }).toEqual(['open one', 'open two']);
  keeper.setShards(SHARDS.slice(1));
  await expect.poll(() => links.at(-1), { timeout: 5000 }).toBe('drain one');
  expect([...keeper.held()]).toHaveLength(2);
  expect(keeper.whyNotReady()).toBeUndefined();
  endCalls();
  await expect.poll(() => [...keeper.held()].map(({ shard }) => shard), { timeout: 5000 }).toEqual(['two']);
  expect(links).toEqual(['open one', 'open two', 'drain one', 'close one']);
  expect(await redis.keys('cf:lease:{shard/pbx-a/one}')).toEqual([]);
});

test('a shard that is back before its calls are over is opened anew', async () => {
  const { keeper, links } = await startKeeper('gateway-1');
  await expect.poll(() => links, { timeout: 5000 }).toEqual(['open one', 'open two']);
  keeper.setShards(SHARDS.slice(1));
  await expect.poll(() => links.at(-1), { timeout: 5000 }).toBe('drain one');
  keeper.setShards(SHARDS, new Set(['pbx-b']));
  await expect
    .poll(() => links, { timeout: 5000 })
    .toEqual(['open one', 'open two', 'drain one', 'close one', 'open one']);
});

test('a gateway that stops while it drains a shard, which nobody else has, sends its calls back', async () => {
  const { keeper, links } = await startKeeper('gateway-1');
  await expect.poll(() => links, { timeout: 5000 }).toEqual(['open one', 'open two']);
  keeper.setShards(SHARDS.slice(1));
  await expect.poll(() => links.at(-1), { timeout: 5000 }).toBe('drain one');
  await closing.pop()?.();
  expect(links.filter((what) => what.endsWith('one'))).toEqual(['open one', 'drain one', 'send back one', 'close one']);
  expect(await redis.keys('cf:lease:*')).toEqual([]);
});

test('the links of a PBX that was changed are opened anew under the same leases', async () => {
  const { keeper, links } = await startKeeper('gateway-1');
  await expect.poll(() => links, { timeout: 5000 }).toEqual(['open one', 'open two']);
  const epochs = () => Promise.all(SHARDS.map(({ shard }) => redis.hget(`cf:lease:{shard/pbx-a/${shard}}`, 'epoch')));
  const before = await epochs();
  keeper.setShards(SHARDS, new Set(['pbx-a']));
  await expect
    .poll(() => links.slice(2).toSorted(), { timeout: 5000 })
    .toEqual(['close one', 'close two', 'open one', 'open two']);
  expect(await epochs()).toEqual(before);
});

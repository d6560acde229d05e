import { setTimeout as wait } from 'node:timers/promises';
import { announceGateway, askHandOver, type Bus, connectBus, gatewayPresence, onHandOver } from '@callfleet/bus';
import { connectRedis, type LeaseRedis, Session, yieldLease } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type NatsServer, type RedisServer, startNatsServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nameOf, type Shard } from '../names/shard.ts';
import { ShardKeeper } from './shard-keeper.ts';
import { SharedApplications, SharedLink } from './shared-applications.ts';

const SHARDS: Shard[] = ['one', 'two'].map((shard) => ({ pbx: 'pbx-a', shard }));
/** No gateway hears of it. */
const NOBODY = { onTaken: () => {}, onAway: async () => false };
const LONG = { timeout: 8000, interval: 10 };

let nats: NatsServer;
let server: RedisServer;
let redis: LeaseRedis;
let applications: SharedApplications;
const gateways: Gateway[] = [];

beforeAll(async () => {
  [nats, server] = await Promise.all([startNatsServer(), startRedisServer()]);
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
beforeEach(() => {
  applications = new SharedApplications();
});
afterEach(async () => {
  for (const gateway of gateways.splice(0).reverse()) await gateway.stop();
  await redis.flushall();
});
afterAll(async () => {
  await redis?.quit();
  await Promise.all([server?.stop(), nats?.stop()]);
});

interface Gateway {
  readonly keeper: ShardKeeper;
  readonly bus: Bus;
  readonly links: SharedLink[];
  shards(): string[];
  /** As SIGTERM. */
  stop(): Promise<void>;
  /** As SIGKILL: NATS sees its connection close, Redis hears no more of it, its sockets are gone. */
  kill(): Promise<void>;
}

interface Settings {
  readonly settleMs?: number;
  readonly ttlMs?: number;
  readonly rebalanceAfterMs?: number;
  readonly shards?: readonly Shard[];
  /** Its mirrors stand. */
  readonly seesOthers?: boolean;
}

/** A gateway without its PBX: its sockets stand at once. */
async function startGateway(
  instance: string,
  { settleMs = 10, ttlMs = 1000, rebalanceAfterMs = 100, shards = SHARDS, seesOthers = false }: Settings = {},
): Promise<Gateway> {
  const bus = await connectBus({ servers: [nats.url], name: instance });
  const own = await connectRedis(server.url, { name: instance, onError: () => {} });
  announceGateway(bus, instance);
  const links: SharedLink[] = [];
  let keeper: ShardKeeper | undefined;
  let isDead = false;
  const session = await Session.start(own, {
    kind: 'gateway',
    instance,
    ttlMs,
    onAlive: (alive) => keeper?.onGateways(alive),
    onForgotten: () => keeper?.onForgotten(),
    onRenewalFailed: () => {},
  });
  const stopping = new AbortController();
  const started = new ShardKeeper({
    redis: own,
    session,
    shards,
    settleMs,
    lookEveryMs: 50,
    rebalanceAfterMs,
    standby: { connectWithinMs: 500, maxMs: 1000 },
    presenceOf: (gateway) => gatewayPresence(bus, gateway),
    ask: (gateway, handOver) => askHandOver(bus, gateway, handOver, 1000),
    drainMs: 60_000,
    mirrors: { follow: () => {}, sees: () => seesOthers },
    open: (shard, told) => {
      const link = new SharedLink(applications, shard, told);
      links.push(link);
      return link;
    },
    log: createLogger('test', instance, { level: 'silent', format: 'json' }),
  });
  keeper = started;
  onHandOver(bus, instance, (handOver) => started.onHandOver(handOver));
  await session.renew();
  const running = started.run(stopping.signal);
  const gateway = {
    keeper: started,
    bus,
    links,
    shards: () => [...started.held()].map(({ shard }) => shard).toSorted(),
    async stop() {
      if (isDead) return;
      isDead = true;
      stopping.abort();
      await running;
      await bus.close();
      own.disconnect();
    },
    async kill() {
      isDead = true;
      own.disconnect();
      for (const link of links) await link.close(true);
      await bus.nc.close();
      await session.close().catch(() => {});
      stopping.abort();
    },
  };
  gateways.push(gateway);
  return gateway;
}

const heldBy = (...some: Gateway[]) => some.map((gateway) => gateway.shards().length);

test('a gateway is ready when the sockets of all its shards stand', async () => {
  const { keeper, links } = await startGateway('gateway-1');
  expect(keeper.whyNotReady()).toBe('not assigned yet');
  await expect.poll(() => keeper.whyNotReady(), LONG).toBeUndefined();
  expect([...keeper.held()]).toHaveLength(2);
  for (const link of links) applications.disconnect(link, true);
  expect(keeper.whyNotReady()).toBe('shard/pbx-a/one is not connected, shard/pbx-a/two is not connected');
});

describe('shards are shared out', () => {
  test('anew when a gateway joins, without a moment in which nobody has one, or two have', async () => {
    const first = await startGateway('gateway-1');
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2');
    await expect.poll(() => heldBy(first, second), LONG).toEqual([1, 1]);
    expect(applications).toMatchObject({ mishaps: [], handOvers: 1 });
    expect(first.keeper.whyNotReady()).toBeUndefined();
    expect(second.keeper.whyNotReady()).toBeUndefined();
    // A third has nothing to do, and nothing moves for it.
    const third = await startGateway('gateway-3');
    await wait(500);
    expect(heldBy(first, second, third)).toEqual([1, 1, 0]);
    expect(third.keeper.whyNotReady()).toBeUndefined();
    expect(applications).toMatchObject({ mishaps: [], handOvers: 1 });
  });

  test('only when membership is stable', async () => {
    const first = await startGateway('gateway-1', { rebalanceAfterMs: 700 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    for (let n = 0; n < 3; n += 1) {
      const flapping = await startGateway(`flapping-${n}`, { rebalanceAfterMs: 700 });
      await wait(400);
      await flapping.stop();
      await wait(100);
    }
    expect(applications).toMatchObject({ mishaps: [], handOvers: 0 });
  });

  test('among many gateways that come at once and go one by one, and none is ever lost', async () => {
    const shards = ['a', 'b', 'c', 'd'].flatMap((pbx) => SHARDS.map(({ shard }) => ({ pbx, shard })));
    const all = await Promise.all([1, 2, 3, 4].map((n) => startGateway(`gateway-${n}`, { shards, settleMs: 300 })));
    const [first, second, ...rest] = all as [Gateway, Gateway, ...Gateway[]];
    await expect.poll(() => heldBy(...all), LONG).toEqual([2, 2, 2, 2]);
    await Promise.all([first.stop(), second.stop()]);
    await expect.poll(() => heldBy(...rest), LONG).toEqual([4, 4]);
    expect(applications.mishaps).toEqual([]);
  });
});

describe('a gateway that stops', () => {
  test('hands all its shards over first, and they are served without a gap', async () => {
    const first = await startGateway('gateway-1');
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => second.keeper.whyNotReady(), LONG).toBeUndefined();
    await first.stop();
    expect(heldBy(second)).toEqual([2]);
    expect(applications).toMatchObject({ mishaps: [], handOvers: 2 });
    expect(second.keeper.whyNotReady()).toBeUndefined();
  });

  test('gives them up when the one that should have them can not connect', async () => {
    const first = await startGateway('gateway-1', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000, shards: [SHARDS[0] as Shard] });
    await expect.poll(() => second.keeper.whyNotReady(), LONG).toBeUndefined();
    await first.stop();
    expect(second.shards()).toEqual(['one']);
    expect(await redis.keys('cf:lease:*')).toEqual(['cf:lease:{shard/pbx-a/one}']);
  });
});

test('a gateway that stops while a PBX is away gives its shards up, and asks nobody to connect to it', async () => {
  const first = await startGateway('gateway-1', { rebalanceAfterMs: 60_000 });
  await expect.poll(() => heldBy(first), LONG).toEqual([2]);
  const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000 });
  await expect.poll(() => second.keeper.whyNotReady(), LONG).toBeUndefined();
  for (const link of first.links) applications.disconnect(link, true);
  await first.stop();
  await expect.poll(() => second.shards(), LONG).toEqual(['one', 'two']);
  expect(applications).toMatchObject({ mishaps: [], handOvers: 0 });
});

describe('a gateway that dies', () => {
  test('has its shards taken long before its session runs out', async () => {
    const first = await startGateway('gateway-1', { ttlMs: 60_000 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => second.keeper.whyNotReady(), LONG).toBeUndefined();
    await first.kill();
    const from = performance.now();
    await expect.poll(() => heldBy(second), LONG).toEqual([2]);
    expect(performance.now() - from).toBeLessThan(5000);
    expect(await redis.zscore('cf:session:gateway', 'gateway-1'), 'its session').not.toBeNull();
    expect(applications.mishaps).toEqual([]);
  });

  test('keeps them while it only hangs, until its session has run out', async () => {
    const bus = await connectBus({ servers: [nats.url], name: 'hangs' });
    // Alive to NATS, and silent.
    bus.nc.subscribe('cf.gateway.hangs', { callback: () => {} });
    await redis.zadd('cf:session:gateway', Date.now() + 2000, 'hangs');
    for (const shard of SHARDS) await redis.hset(`cf:lease:{${nameOf(shard)}}`, { owner: 'hangs', epoch: 1 });
    const second = await startGateway('gateway-2');
    await wait(1000);
    expect(second.shards()).toEqual([]);
    await expect.poll(() => second.shards(), LONG).toEqual(['one', 'two']);
    await bus.close();
  });

  test('in the middle of handing a shard over has it taken by the one that stands by', async () => {
    const first = await startGateway('gateway-1', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => second.keeper.whyNotReady(), LONG).toBeUndefined();
    await second.keeper.onHandOver({ step: 'connect', ...(SHARDS[0] as Shard) });
    await first.kill();
    await expect.poll(() => second.shards(), LONG).toEqual(['one', 'two']);
    expect(second.links).toHaveLength(2);
  });
});

describe('a socket breaks', () => {
  const withHeir = async (seesOthers: boolean) => {
    const first = await startGateway('gateway-1', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 1000, seesOthers });
    await expect.poll(() => first.keeper.hasOthers, LONG).toBe(true);
    const [broken] = first.links as [SharedLink];
    await broken.lose();
    return { first, second };
  };

  test('and the gateway that sees what happens on its shard has it, for a while at least', async () => {
    const { first, second } = await withHeir(true);
    expect([first.shards(), second.shards()]).toEqual([['two'], ['one']]);
    await wait(500);
    expect([first.shards(), second.shards()]).toEqual([['two'], ['one']]);
    expect(applications).toMatchObject({ mishaps: [], handOvers: 0 });
    expect(applications.history).toEqual(['open one', 'open two', 'open one', 'close one']);
  });

  test('and is connected again where nobody sees it', async () => {
    const { first, second } = await withHeir(false);
    expect([first.shards(), second.shards()]).toEqual([['one', 'two'], []]);
    expect(first.keeper.whyNotReady()).toBeUndefined();
    expect(applications).toMatchObject({ mishaps: [], handOvers: 0, history: ['open one', 'open two'] });
  });

  test('and is connected again when the one that sees it dies as it is asked', async () => {
    const first = await startGateway('gateway-1', { rebalanceAfterMs: 60_000 });
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    const second = await startGateway('gateway-2', { rebalanceAfterMs: 60_000, seesOthers: true });
    await expect.poll(() => first.keeper.hasOthers, LONG).toBe(true);
    await second.kill();
    const [broken] = first.links as [SharedLink];
    await broken.lose();
    expect(first.shards()).toEqual(['one', 'two']);
    expect(first.keeper.whyNotReady()).toBeUndefined();
  });
});

test('while NATS is away, and when it is back, nobody is taken for dead', async () => {
  const both = await Promise.all(['gateway-1', 'gateway-2'].map((name) => startGateway(name, { settleMs: 300 })));
  await expect.poll(() => heldBy(...both), LONG).toEqual([1, 1]);
  const before = both.map((gateway) => gateway.shards());
  await nats.kill();
  await wait(1000);
  await nats.restart();
  await Promise.all(both.map(({ bus }) => expect.poll(() => bus.awayMs(), LONG).toBeUndefined()));
  await wait(3000);
  expect(both.map((gateway) => gateway.shards())).toEqual(before);
  expect(applications).toMatchObject({ mishaps: [], handOvers: 0 });
});

describe('somebody else connects to the application of a shard', () => {
  test('when it is no gateway, the shard is connected again, since its lease is ours', async () => {
    const { keeper, links } = await startGateway('gateway-1');
    await expect.poll(() => keeper.whyNotReady(), LONG).toBeUndefined();
    applications.connect(new SharedLink(applications, SHARDS[0] as Shard, NOBODY));
    expect(keeper.whyNotReady()).toBe('shard/pbx-a/one is not connected');
    await expect.poll(() => keeper.whyNotReady(), LONG).toBeUndefined();
    expect(links).toHaveLength(2);
    expect(applications.mishaps).toEqual([]);
  });

  test('when that one has the lease, the shard is given up', async () => {
    const first = await startGateway('gateway-1');
    await expect.poll(() => heldBy(first), LONG).toEqual([2]);
    await redis.zadd('cf:session:gateway', Date.now() + 60_000, 'other');
    first.bus.nc.subscribe('cf.gateway.other', { callback: (_error, message) => void message.respond('{}') });
    await yieldLease(redis, { what: 'shard/pbx-a/one', owner: 'gateway-1', epoch: 1 });
    await redis.acquireLease('cf:lease:{shard/pbx-a/one}', 'other', '', 0, 60_000);
    applications.connect(new SharedLink(applications, SHARDS[0] as Shard, NOBODY));
    await expect.poll(() => first.shards(), LONG).toEqual(['two']);
    expect(applications.mishaps).toEqual([]);
  });
});

test('Redis comes back empty: what a gateway holds stays with it', async () => {
  const both = await Promise.all(['gateway-1', 'gateway-2'].map((name) => startGateway(name, { settleMs: 300 })));
  await expect.poll(() => heldBy(...both), LONG).toEqual([1, 1]);
  const before = both.map((gateway) => gateway.shards());
  await redis.flushall();
  const isAsserted = async () => (await redis.keys('cf:lease:*')).length;
  await expect.poll(isAsserted, LONG).toBe(2);
  // Longer than nobody takes anything.
  await wait(1000);
  expect(both.map((gateway) => gateway.shards())).toEqual(before);
});

describe('when the configuration changes,', () => {
  const shardOne = 'cf:lease:{shard/pbx-a/one}';
  const history = () => applications.history;
  const begun = async () => {
    const gateway = await startGateway('gateway-1');
    await expect.poll(history, LONG).toEqual(['open one', 'open two']);
    return gateway;
  };

  test('a shard that is taken out is drained, and given up when its calls are over; the others are not touched', async () => {
    const { keeper, shards } = await begun();
    keeper.setShards(SHARDS.slice(1));
    await expect.poll(history, LONG).toContain('drain one');
    expect(shards()).toEqual(['one', 'two']);
    expect(keeper.whyNotReady()).toBeUndefined();
    applications.endCalls();
    await expect.poll(shards, LONG).toEqual(['two']);
    expect(history()).toEqual(['open one', 'open two', 'drain one', 'close one']);
    expect(await redis.keys(shardOne)).toEqual([]);
  });

  test('a shard that is just being handed over, and stays after all, is opened anew as the others of its PBX', async () => {
    const { bus, keeper } = await begun();
    const asked = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    bus.nc.subscribe('cf.gateway.heir', { callback: (_error, message) => void message.respond('{}') });
    bus.nc.subscribe('cf.gateway.heir.shards', {
      callback: (_error, message) => {
        asked.resolve();
        void refused.promise.then(() => message.respond('{"done":false,"why":"it does not reach it"}'));
      },
    });
    await redis.zadd('cf:session:gateway', Date.now() + 60_000, 'heir');
    await asked.promise;
    keeper.setShards(SHARDS, new Set(['pbx-a']));
    await expect.poll(history, LONG).toHaveLength(4);
    refused.resolve();
    await expect.poll(history, LONG).toHaveLength(6);
    const opened = (shard: string) => history().filter((what) => what === `open ${shard}`).length;
    expect([opened('one'), opened('two')]).toEqual([2, 2]);
  });

  test('a shard that is back before its calls are over is opened anew', async () => {
    const { keeper } = await begun();
    keeper.setShards(SHARDS.slice(1));
    await expect.poll(history, LONG).toContain('drain one');
    keeper.setShards(SHARDS, new Set(['pbx-b']));
    await expect.poll(history, LONG).toEqual(['open one', 'open two', 'drain one', 'close one', 'open one']);
  });

  test('a gateway that stops while it drains a shard, which nobody else has, sends its calls back', async () => {
    const gateway = await begun();
    gateway.keeper.setShards(SHARDS.slice(1));
    await expect.poll(history, LONG).toContain('drain one');
    await gateway.stop();
    const ofOne = history().filter((what) => what.endsWith('one'));
    expect(ofOne).toEqual(['open one', 'drain one', 'send back one', 'close one']);
    expect(await redis.keys('cf:lease:*')).toEqual([]);
  });

  test('the links of a PBX that was changed are opened anew under the same leases, and serve', async () => {
    const { keeper, links } = await begun();
    const epochs = () => Promise.all(SHARDS.map(({ shard }) => redis.hget(`cf:lease:{shard/pbx-a/${shard}}`, 'epoch')));
    const before = await epochs();
    keeper.setShards(SHARDS, new Set(['pbx-a']));
    const reopened = ['close one', 'close two', 'open one', 'open two'];
    await expect.poll(() => history().slice(2).toSorted(), LONG).toEqual(reopened);
    await expect.poll(() => links.slice(2).map(({ connected }) => connected), LONG).toEqual([true, true]);
    expect(await epochs()).toEqual(before);
  });
});

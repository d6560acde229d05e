import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, connectBus, type OfferInHand } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { acquireLease, connectRedis, type LeaseRedis, leaseOwners, Session } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type NatsServer, type RedisServer, startNatsServer, startRedisServer } from '@callfleet/testkit';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { RelayDirectory } from './relay-directory.ts';
import { Standing } from './standing.ts';
import { Worker } from './worker.ts';

let nats: NatsServer;
let server: RedisServer;
let bus: Bus;
let redis: LeaseRedis;
let calls = 0;

beforeAll(async () => {
  [nats, server] = await Promise.all([startNatsServer(), startRedisServer()]);
  bus = await connectBus({ servers: [nats.url], name: 'test' });
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterAll(async () => {
  redis?.disconnect();
  await bus?.close();
  await Promise.all([nats?.stop(), server?.stop()]);
});

function newCall() {
  calls += 1;
  return callIdOf('pbx-a', `1763701200.${calls}`);
}

/** An offer that is good for so long, and what its worker did with it. */
function offerOf(call: ReturnType<typeof newCall>, goodForMs: number) {
  const settled: string[] = [];
  const inHand: OfferInHand = {
    offer: {
      ...{ call, pbx: 'pbx-a', shard: 'callfleet-1', zone: 'a', channelId: 'x', channelName: 'PJSIP/x' },
      ...{ channelState: 'Ring', caller: { number: '1001', name: '' }, called: { number: '100', context: 'default' } },
      ...{ args: [], variables: {}, epoch: 0, gateway: 'gateway-1', enteredAt: '2026-11-21T05:45:41.123Z' },
      expiresAt: Date.now() + goodForMs,
    },
    trace: ROOT_CONTEXT,
    acknowledge: () => settled.push('acknowledged'),
    giveBack: () => settled.push('given back'),
  };
  return { inHand, settled };
}

const EXPIRED_MS = -1;

async function startWorker(seen: LeaseRedis): Promise<Worker> {
  const session = await Session.start(redis, {
    ...{ kind: 'worker', instance: 'worker-1', ttlMs: 60_000, onRenewalFailed: () => {} },
  });
  onTestFinished(() => session.close());
  const neverRuns = () => Promise.reject(new Error('no program is to run here'));
  return new Worker({
    ...{ bus, redis: seen, session, relays: new RelayDirectory(() => 0), relayWatch: { watch: () => () => {} } },
    standing: new Standing({ ttlMs: 1, now: () => 0, reaffirm: async () => {}, onChange: () => {} }),
    routes: [{ name: 'program', version: '1', extensions: ['_X.'] }],
    threads: { run: neverRuns, runAlone: neverRuns },
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    ...{ commandTimeoutMs: 1000, connectTimeoutMs: 1000, maxCallMs: 1000, maxAfterCallMs: 1000 },
  });
}

/** Redis grants a lease, but what it says does not come: `answer` is waited for, and then nothing is known. */
function withoutAnswer(answer: Promise<unknown> = Promise.resolve()): LeaseRedis {
  const value: LeaseRedis['acquireLease'] = async (...args) => {
    await redis.acquireLease(...args);
    await answer;
    throw new Error('Command timed out');
  };
  return Object.create(redis, { acquireLease: { value } });
}

const owner = async (call: string) => (await leaseOwners(redis, [call]))[0];
const isLeaseKnown = async (call: string) => (await redis.exists(`cf:lease:{${call}}`)) === 1;

test('a lease that was granted unheard goes when the offer comes again, too late', async () => {
  const call = newCall();
  const worker = await startWorker(withoutAnswer());
  const first = offerOf(call, 60_000);
  await worker.take(first.inHand);
  expect(first.settled).toEqual(['given back']);
  expect(await owner(call)).toBe('worker-1');
  const again = offerOf(call, EXPIRED_MS);
  await worker.take(again.inHand);
  expect(again.settled).toEqual(['acknowledged']);
  expect(await isLeaseKnown(call)).toBe(false);
});

test('a lease that was granted unheard goes at once when the offer has expired meanwhile', async () => {
  const call = newCall();
  const worker = await startWorker(withoutAnswer(wait(100)));
  const { inHand, settled } = offerOf(call, 50);
  await worker.take(inHand);
  expect(settled).toEqual(['acknowledged']);
  expect(await isLeaseKnown(call)).toBe(false);
});

test('the lease of another worker stays when an offer comes too late', async () => {
  const call = newCall();
  await acquireLease(redis, { instance: 'worker-2', isAlive: async () => true }, call);
  const { inHand, settled } = offerOf(call, EXPIRED_MS);
  await (await startWorker(redis)).take(inHand);
  expect(settled).toEqual(['acknowledged']);
  expect(await owner(call)).toBe('worker-2');
});

test('a lease stays when the call is taken by a later offer while it is looked at for the one that is too late', async () => {
  const call = newCall();
  await acquireLease(redis, { instance: 'worker-1', isAlive: async () => true }, call);
  const looked = Promise.withResolvers<void>();
  const hget: LeaseRedis['hget'] = async (...args: [key: string, field: string]) => {
    const found = await redis.hget(...args);
    await looked.promise;
    return found;
  };
  const ended = Promise.withResolvers<void>();
  const worker = await startWorker(Object.create(withoutAnswer(ended.promise), { hget: { value: hget } }));
  const late = offerOf(call, EXPIRED_MS);
  const lookingAtIt = worker.take(late.inHand);
  const later = offerOf(call, 60_000);
  const taking = worker.take(later.inHand);
  looked.resolve();
  await lookingAtIt;
  expect(late.settled).toEqual(['acknowledged']);
  expect(await owner(call)).toBe('worker-1');
  ended.resolve();
  await taking;
});

test('an offer that comes again while Redis still thinks about it is not taken twice', async () => {
  const call = newCall();
  const answered = Promise.withResolvers<void>();
  const worker = await startWorker(withoutAnswer(answered.promise));
  const first = offerOf(call, 60_000);
  const taking = worker.take(first.inHand);
  const again = offerOf(call, 60_000);
  await worker.take(again.inHand);
  expect(again.settled).toEqual(['given back']);
  expect(first.settled).toEqual([]);
  answered.resolve();
  await taking;
});

test('an offer that is too late comes again while Redis is away: its lease is not forgotten', async () => {
  const call = newCall();
  await acquireLease(redis, { instance: 'worker-1', isAlive: async () => true }, call);
  const hget = async () => {
    throw new Error('Command timed out');
  };
  const { inHand, settled } = offerOf(call, EXPIRED_MS);
  await (await startWorker(Object.create(redis, { hget: { value: hget } }))).take(inHand);
  expect(settled).toEqual(['given back']);
  await (await startWorker(redis)).take(inHand);
  expect(settled).toEqual(['given back', 'acknowledged']);
  expect(await isLeaseKnown(call)).toBe(false);
});

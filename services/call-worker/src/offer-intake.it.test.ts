import {
  type Bus,
  connectBus,
  ensureStreams,
  type Offer,
  OfferQueue,
  publishOffer,
  traceHeaders,
} from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { Admission, createLogger } from '@callfleet/telemetry';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OfferIntake } from './offer-intake.ts';

let server: NatsServer;
let bus: Bus;
let calls = 0;
let pools = 0;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await ensureStreams(bus);
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

const V1 = { name: 'menu', version: 'v1' };
const V2 = { name: 'menu', version: 'v2' };

function newPool(): string {
  pools += 1;
  return `pool-${pools}`;
}

/** A pool with offers in it, and a worker's intake that takes what it can and keeps it until the test lets it go. */
async function poolOf(maxCalls: number, pool = newPool(), admission = new Admission(200)) {
  const inHand: string[] = [];
  const ends = new Map<string, () => void>();
  let most = 0;
  const ignore = () => {};
  const intake = new OfferIntake({
    newCalls: await OfferQueue.open(bus, pool, ignore),
    takeovers: [
      await OfferQueue.openTakeovers(bus, pool, V1, ignore),
      await OfferQueue.openTakeovers(bus, pool, V2, ignore),
    ],
    maxCalls,
    admission,
    take: async ({ offer, acknowledge }) => {
      acknowledge();
      inHand.push(offer.call);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.set(offer.call, resolve);
      most = Math.max(most, ends.size);
      await promise;
      ends.delete(offer.call);
    },
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
  });
  const stopping = new AbortController();
  const running = intake.run(stopping.signal);
  return {
    pool,
    inHand,
    most: () => most,
    offer: async (program?: Offer['program']) => {
      calls += 1;
      const call = callIdOf('pbx-a', `1763701200.${calls}`);
      await publishOffer(
        bus,
        pool,
        { ...OFFER, call, expiresAt: Date.now() + 60_000, ...(program && { program }) },
        traceHeaders(),
      );
      return call;
    },
    endOne: () => [...ends.values()][0]?.(),
    stop: async () => {
      stopping.abort();
      await running;
      for (const end of ends.values()) end();
    },
  };
}

const OFFER = {
  pbx: 'pbx-a',
  shard: 'callfleet-1',
  zone: 'a',
  channelId: 'x',
  channelName: 'PJSIP/x',
  channelState: 'Ring',
  caller: { number: '1001', name: '' },
  called: { number: '100', context: 'default' },
  args: [],
  variables: {},
  epoch: 0,
  gateway: 'gateway-1',
  enteredAt: '2026-11-21T05:45:41.123Z',
};

test('a worker takes from all its queues together no more than it has room for, and all of it in the end', async () => {
  const pool = await poolOf(4);
  const offered: string[] = [];
  for (let round = 0; round < 10; round += 1)
    for (const program of [undefined, V1, V2]) offered.push(await pool.offer(program));
  for (let ended = 0; pool.inHand.length < offered.length; ended += 1) {
    const expected = Math.min(offered.length, 4 + ended);
    await expect.poll(() => pool.inHand.length, { timeout: 5000 }).toBeGreaterThanOrEqual(expected);
    pool.endOne();
  }
  expect([...pool.inHand].sort()).toEqual([...offered].sort());
  expect(pool.most()).toBe(4);
  await pool.stop();
});

test('what one worker has no room for goes to the next at once', async () => {
  const busy = await poolOf(1);
  const idle = await poolOf(10, busy.pool);
  const offered = await Promise.all(Array.from({ length: 8 }, (_, n) => busy.offer(n % 2 === 0 ? V1 : undefined)));
  await expect.poll(() => [...busy.inHand, ...idle.inHand].sort(), { timeout: 1500 }).toEqual([...offered].sort());
  expect(busy.most()).toBeLessThanOrEqual(1);
  await Promise.all([busy.stop(), idle.stop()]);
});

test('when a full worker has room again, calls that lost their worker come before new ones', async () => {
  const pool = await poolOf(1);
  await pool.offer();
  await expect.poll(() => pool.inHand.length).toBe(1);
  for (let n = 0; n < 10; n += 1) await pool.offer();
  const lost = [await pool.offer(V1), await pool.offer(V2), await pool.offer(V1)];
  for (let taken = 2; taken <= 4; taken += 1) {
    pool.endOne();
    await expect.poll(() => pool.inHand.length).toBe(taken);
  }
  expect(pool.inHand.slice(1).sort()).toEqual([...lost].sort());
  await pool.stop();
});

test('a full worker stops without waiting for its calls', async () => {
  const pool = await poolOf(1);
  await pool.offer();
  await expect.poll(() => pool.inHand.length).toBe(1);
  await pool.stop();
});

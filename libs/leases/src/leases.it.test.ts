import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type LeaseRedis } from './connection.ts';
import { acquireLease, assertLease, leaseOf, leaseOwners, releaseLease, yieldLease } from './lease.ts';
import { Session } from './session.ts';

let server: RedisServer;
let redis: LeaseRedis;
const sessions: Session[] = [];

beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  await redis.flushall();
});

async function live(instance: string, ttlMs = 60_000, onAlive?: (instances: readonly string[]) => void) {
  const session = await Session.start(redis, { kind: 'worker', instance, ttlMs, onAlive, onRenewalFailed: () => {} });
  sessions.push(session);
  return session;
}

/** A session whose process is gone: it ran out, and nobody renews it. */
async function dead(instance: string): Promise<Session> {
  const session = await live(instance);
  await session.close();
  return session;
}

describe('a lease', () => {
  test('is for one owner at a time', async () => {
    const [a, b] = [await live('a'), await live('b')];
    const lease = await acquireLease(redis, a, 'call-1');
    expect(lease).toEqual({ what: 'call-1', owner: 'a', epoch: 1 });
    expect(await acquireLease(redis, b, 'call-1')).toMatchObject({ owner: 'a' });
  });

  test('taken again by its owner keeps its epoch', async () => {
    const a = await live('a');
    await acquireLease(redis, a, 'call-1');
    expect((await acquireLease(redis, a, 'call-1')).epoch).toBe(1);
  });

  test('of a dead owner is taken with a higher epoch', async () => {
    await acquireLease(redis, await dead('a'), 'call-1');
    expect(await acquireLease(redis, await live('b'), 'call-1')).toEqual({ what: 'call-1', owner: 'b', epoch: 2 });
  });

  test('that is raced for has one winner', async () => {
    await acquireLease(redis, await dead('a'), 'call-1');
    const racers = await Promise.all(Array.from({ length: 8 }, (_, n) => live(`racer-${n}`)));
    const leases = await Promise.all(racers.map((racer) => acquireLease(redis, racer, 'call-1')));
    expect(new Set(leases.map(({ owner }) => owner)).size, 'all agree on one').toBe(1);
    expect(leases[0]).toMatchObject({ owner: expect.stringMatching(/^racer-/), epoch: 2 });
  });

  test('that is given up leaves nothing in Redis', async () => {
    const a = await live('a');
    const lease = await acquireLease(redis, a, 'call-1');
    expect(await releaseLease(redis, lease)).toBe(true);
    expect(await redis.keys('cf:lease:*')).toEqual([]);
  });

  test('that is yielded is free at once, and its epoch goes on rising', async () => {
    const a = await live('a');
    const lease = await acquireLease(redis, a, 'call-1');
    expect(await yieldLease(redis, lease)).toBe(true);
    expect(await acquireLease(redis, await live('b'), 'call-1')).toMatchObject({ owner: 'b', epoch: 2 });
    expect(await yieldLease(redis, lease)).toBe(false);
  });

  test('of an owner that is gone is taken before its session runs out', async () => {
    const [a, b] = [await live('a'), await live('b')];
    await acquireLease(redis, a, 'call-1');
    expect(await acquireLease(redis, b, 'call-1', { presenceOf: async () => 'gone' })).toMatchObject({
      owner: 'b',
      epoch: 2,
    });
  });

  test('of an owner that is silent is taken only when its session has run out', async () => {
    const [a, b] = [await live('a'), await live('b')];
    await acquireLease(redis, a, 'call-1');
    const asked: string[] = [];
    const presenceOf = async (owner: string) => {
      asked.push(owner);
      return 'silent' as const;
    };
    expect(await acquireLease(redis, b, 'call-1', { presenceOf })).toMatchObject({ owner: 'a', epoch: 1 });
    await a.close();
    expect(await acquireLease(redis, b, 'call-1', { presenceOf })).toMatchObject({ owner: 'b', epoch: 2 });
    expect(asked).toEqual(['a', 'a']);
  });

  test('of an owner that answers is never taken, though Redis has not heard of it for long', async () => {
    await acquireLease(redis, await dead('a'), 'call-1');
    const lease = await acquireLease(redis, await live('b'), 'call-1', { presenceOf: async () => 'there' });
    expect(lease).toMatchObject({ owner: 'a', epoch: 1 });
  });

  test('is known by who has it', async () => {
    await acquireLease(redis, await live('a'), 'call-1');
    const given = await acquireLease(redis, await live('b'), 'call-2');
    await yieldLease(redis, given);
    expect(await leaseOwners(redis, ['call-2', 'call-1', 'call-3'])).toEqual([undefined, 'a', undefined]);
  });

  test('is known to the one who has it, though the answer that granted it never came', async () => {
    await acquireLease(redis, await dead('a'), 'call-1');
    expect(await leaseOf(redis, 'a', 'call-1')).toEqual({ what: 'call-1', owner: 'a', epoch: 1 });
    const taken = await acquireLease(redis, await live('b'), 'call-1');
    expect(await leaseOf(redis, 'a', 'call-1')).toBeUndefined();
    expect(await leaseOf(redis, 'b', 'call-1')).toEqual(taken);
    await yieldLease(redis, taken);
    expect(await leaseOf(redis, 'b', 'call-1')).toBeUndefined();
    expect(await leaseOf(redis, 'a', 'call-2')).toBeUndefined();
  });

  test('can not be given up by an owner that lost it', async () => {
    const old = await acquireLease(redis, await dead('a'), 'call-1');
    await acquireLease(redis, await live('b'), 'call-1');
    expect(await releaseLease(redis, old)).toBe(false);
    expect(await redis.hget('cf:lease:{call-1}', 'owner')).toBe('b');
  });
});

describe('when Redis comes back empty', () => {
  test('an owner asserts its lease, and nobody else gets it', async () => {
    const [a, b] = [await live('a'), await live('b')];
    const lease = await acquireLease(redis, a, 'call-1', { floor: 6 });
    await redis.flushall();
    expect(await assertLease(redis, lease)).toBe(true);
    await redis.renewSession('cf:session:worker', 'a', 60_000, 1);
    expect(await acquireLease(redis, b, 'call-1')).toMatchObject({ owner: 'a' });
    expect(await redis.hget('cf:lease:{call-1}', 'epoch')).toBe('7');
  });

  test('an owner that comes too late learns it', async () => {
    const [a, b] = [await live('a'), await live('b')];
    const lease = await acquireLease(redis, a, 'call-1');
    await redis.flushall();
    await acquireLease(redis, b, 'call-1', { floor: lease.epoch });
    expect(await assertLease(redis, lease)).toBe(false);
  });

  test('epochs go on rising', async () => {
    const lease = await acquireLease(redis, await live('a'), 'call-1');
    await redis.flushall();
    expect(await acquireLease(redis, await live('b'), 'call-1', { floor: lease.epoch })).toMatchObject({ epoch: 2 });
  });

  test('its processes are told that they were forgotten', async () => {
    let forgotten = 0;
    const options = { kind: 'worker', instance: 'a', ttlMs: 200, onRenewalFailed: () => {} } as const;
    sessions.push(await Session.start(redis, { ...options, onForgotten: () => forgotten++ }));
    await redis.flushall();
    await expect.poll(() => forgotten).toBe(1);
  });

  test('its processes are told, though the first answer that says so never reaches them', async () => {
    let forgotten = 0;
    let isDeaf = false;
    const lossy = Object.create(redis, {
      renewSession: {
        value: async (...args: Parameters<LeaseRedis['renewSession']>) => {
          const answer = await redis.renewSession(...args);
          if (!isDeaf) return answer;
          isDeaf = false;
          throw new Error('Command timed out');
        },
      },
    }) as LeaseRedis;
    const options = { kind: 'worker', instance: 'a', ttlMs: 60_000, onRenewalFailed: () => {} } as const;
    const session = await Session.start(lossy, { ...options, onForgotten: () => forgotten++ });
    sessions.push(session);
    await redis.flushall();
    isDeaf = true;
    await expect(session.renew()).rejects.toThrow('timed out');
    expect(await session.isAlive('a')).toBe(false);
    await session.renew();
    expect(forgotten).toBe(1);
    expect(await session.isAlive('a')).toBe(true);
    await session.renew();
    expect(forgotten).toBe(1);
  });
});

test('a process whose session ran out is told so, though nobody has cleared it away', async () => {
  const renew = (ttlMs: number, begins: 0 | 1) => redis.renewSession('cf:session:worker', 'a', ttlMs, begins);
  expect(await renew(60_000, 1)).toEqual([1, ['a']]);
  expect(await renew(1, 0)).toEqual([1, ['a']]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await renew(60_000, 0)).toEqual([0, []]);
  expect(await renew(60_000, 1)).toEqual([1, ['a']]);
});

describe('a session', () => {
  test('knows who is alive', async () => {
    let alive: readonly string[] = [];
    await live('a');
    await live('b', 60_000, (instances) => {
      alive = instances;
    });
    expect(alive).toEqual(['a', 'b']);
  });

  test('runs out when it is not renewed', async () => {
    const watcher = await live('watcher');
    await redis.renewSession('cf:session:worker', 'silent', 50, 1);
    expect(await watcher.isAlive('silent')).toBe(true);
    await expect.poll(() => watcher.isAlive('silent')).toBe(false);
  });

  test('tells when its renewals were sent, and counts none that failed', async () => {
    const own = await startRedisServer();
    const ownRedis = await connectRedis(own.url, { name: 'test', onError: () => {} });
    const renewals: number[] = [];
    let failures = 0;
    const before = performance.now();
    const session = await Session.start(ownRedis, {
      kind: 'worker',
      instance: 'a',
      ttlMs: 200,
      onRenewed: (sentAt) => renewals.push(sentAt),
      onRenewalFailed: () => failures++,
    });
    expect(renewals[0]).toBeGreaterThanOrEqual(before);
    await expect.poll(() => renewals.length).toBeGreaterThan(2);
    expect(renewals.toSorted((a, b) => a - b)).toEqual(renewals);
    ownRedis.disconnect();
    await expect.poll(() => failures).toBeGreaterThan(1);
    const counted = renewals.length;
    await expect(session.renew()).rejects.toThrow();
    expect(renewals.length).toBe(counted);
    await session.close().catch(() => {});
    await own.stop();
  });

  test('is renewed as long as its process runs', async () => {
    const watcher = await live('watcher');
    await live('steady', 200);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await watcher.isAlive('steady')).toBe(true);
  });
});

test('a Redis that is not there is one clear error', async () => {
  await expect(connectRedis('redis://127.0.0.1:1', { name: 'x', onError: () => {} })).rejects.toMatchObject({
    code: 'CF_REDIS_UNREACHABLE',
    message: expect.stringContaining('127.0.0.1:1'),
  });
});

test('a Redis that wants a password is one clear error, which does not tell the one given', async () => {
  await redis.config('SET', 'requirepass', 'right');
  try {
    const url = server.url.replace('redis://', 'redis://:wrong-one@');
    const error = await connectRedis(url, { name: 'x', onError: () => {} }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'CF_REDIS_UNAUTHORIZED' });
    expect(String(error)).not.toContain('wrong-one');
  } finally {
    await redis.config('SET', 'requirepass', '');
  }
});

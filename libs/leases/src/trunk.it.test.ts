import { setTimeout as wait } from 'node:timers/promises';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type LeaseRedis } from './connection.ts';
import { keepTrunkPlaces, leaveTrunk, takeTrunkPlace } from './trunk.ts';

let server: RedisServer;
/** As of several gateways. */
let clients: LeaseRedis[];
let redis: LeaseRedis;
let names = 0;

beforeAll(async () => {
  server = await startRedisServer();
  clients = await Promise.all([1, 2, 3].map((n) => connectRedis(server.url, { name: `test-${n}`, onError: () => {} })));
  [redis] = clients as [LeaseRedis];
});
afterAll(async () => {
  for (const client of clients ?? []) client.disconnect();
  await server?.stop();
});

function trunk(maxCalls: number, callsPerSecond?: number) {
  names += 1;
  return { name: `trunk-${names}`, maxCalls, callsPerSecond };
}

describe('a trunk', () => {
  test('takes as many calls as it may, and one more when one has left', async () => {
    const two = trunk(2);
    expect(await takeTrunkPlace(redis, two, 'a')).toBe('taken');
    expect(await takeTrunkPlace(redis, two, 'b')).toBe('taken');
    expect(await takeTrunkPlace(redis, two, 'c')).toBe('full');
    expect(await takeTrunkPlace(redis, two, 'a'), 'it has one').toBe('taken');
    await leaveTrunk(redis, two.name, 'b');
    await leaveTrunk(redis, two.name, 'nobody');
    expect(await takeTrunkPlace(redis, two, 'c')).toBe('taken');
    expect(await takeTrunkPlace(redis, two, 'd')).toBe('full');
  });

  test('that many race for never has more than it may, whoever takes and leaves in which order', async () => {
    const doings = fc.array(
      fc.record({ call: fc.integer({ min: 0, max: 7 }).map(String), by: fc.nat(2), leaves: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(doings, { maxLength: 4 }), async (maxCalls, rounds) => {
        const one = trunk(maxCalls);
        const on = new Set<string>();
        for (const round of rounds) {
          const leaving = round.filter(({ leaves }) => leaves).map(({ call }) => call);
          const taking = [...new Set(round.filter(({ leaves }) => !leaves).map(({ call }) => call))].filter(
            (call) => !leaving.includes(call),
          );
          await Promise.all(leaving.map((call, n) => leaveTrunk(clients[n % 3] ?? redis, one.name, call)));
          for (const call of leaving) on.delete(call);
          const free = maxCalls - on.size;
          const strangers = taking.filter((call) => !on.has(call));
          const answers = await Promise.all(
            taking.map((call, n) => takeTrunkPlace(clients[n % 3] ?? redis, one, call)),
          );
          const got = taking.filter((_, n) => answers[n] === 'taken');
          // Who is on it stays; of the others as many as there is room for.
          for (const call of taking) if (on.has(call)) expect(got).toContain(call);
          expect(got.filter((call) => !on.has(call))).toHaveLength(Math.min(free, strangers.length));
          for (const call of got) on.add(call);
          expect((await redis.zrange(`cf:trunk:{${one.name}}`, '0', '-1')).sort()).toEqual([...on].sort());
        }
      }),
      { numRuns: 60 },
    );
  });

  test('has the place of a call again that nobody kept: its gateway is dead', async () => {
    const one = trunk(1);
    expect(await takeTrunkPlace(redis, one, 'a', 150)).toBe('taken');
    expect(await takeTrunkPlace(redis, one, 'b')).toBe('full');
    await expect.poll(() => takeTrunkPlace(redis, one, 'b')).toBe('taken');
  });

  test('has it not while somebody keeps it, and leaves nothing in Redis when all are gone', async () => {
    const one = trunk(1);
    expect(await takeTrunkPlace(redis, one, 'a', 600)).toBe('taken');
    for (let n = 0; n < 4; n += 1) {
      await wait(200);
      expect(await keepTrunkPlaces(redis, one.name, ['a'], 600)).toBe(1);
    }
    expect(await takeTrunkPlace(redis, one, 'b')).toBe('full');
    await expect.poll(() => redis.keys(`cf:trunk:{${one.name}}*`), { timeout: 3000 }).toEqual([]);
  });

  test('knows its calls again when Redis came back empty, though there are more than may be', async () => {
    const one = trunk(1);
    await takeTrunkPlace(redis, one, 'a');
    await redis.del(`cf:trunk:{${one.name}}`);
    expect(await takeTrunkPlace(redis, one, 'b')).toBe('taken');
    expect(await keepTrunkPlaces(redis, one.name, ['a'])).toBe(2);
    await leaveTrunk(redis, one.name, 'b');
    expect(await takeTrunkPlace(redis, one, 'c')).toBe('full');
  });

  test('takes so many new calls a second: as many at once, then at an even pace', async () => {
    const four = trunk(100, 4);
    const take = (call: string) => takeTrunkPlace(redis, four, call);
    const burst = await Promise.all(Array.from({ length: 10 }, (_, n) => take(`burst-${n}`)));
    const taken = burst.filter((answer) => answer === 'taken').length;
    expect(taken).toBeGreaterThanOrEqual(4);
    expect(taken, 'one more if a quarter of a second passed').toBeLessThanOrEqual(5);
    expect(await take('burst-0'), 'it has a place').toBe('taken');
    await expect.poll(() => take('later'), { timeout: 3000 }).toBe('taken');
  });

  test('takes its first call however low its pace is', async () => {
    const rare = trunk(100, 0.1);
    expect(await takeTrunkPlace(redis, rare, 'a')).toBe('taken');
    expect(await takeTrunkPlace(redis, rare, 'b')).toBe('too-fast');
  });
});

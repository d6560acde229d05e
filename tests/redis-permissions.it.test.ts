import { callIdOf } from '@callfleet/identity';
import { connectRedis, keepAiPlaces, leaveAi, takeAiPlace } from '@callfleet/leases';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFleetSecrets, type FleetSecrets } from './fleet-secrets.ts';

let secrets: FleetSecrets;
let redis: RedisServer;
let admin: Redis;

beforeAll(async () => {
  secrets = await createFleetSecrets();
  redis = await startRedisServer({ acl: secrets.acl });
  admin = new Redis(redis.url, { password: await secrets.redisPassword('admin') });
});
afterAll(async () => {
  admin?.disconnect();
  await Promise.all([redis?.stop(), secrets?.remove()]);
});

const KEYS = {
  'gateways’ sessions': 'cf:session:gateway',
  'workers’ sessions': 'cf:session:worker',
  'a shard': 'cf:lease:{shard/pbx-a/callfleet-1}',
  'an Asterisk': 'cf:lease:{entity/02:00:00:00:00:01}',
  'a call': `cf:lease:{${callIdOf('pbx-a', '1763701200.1')}}`,
  'a trunk': 'cf:trunk:{trunk-a}',
  'its pace': 'cf:trunk:{trunk-a}:pace',
  'places with a voice AI': 'cf:ai:{openai}',
  'their pace': 'cf:ai:{openai}:pace',
  'anything else': 'cf:else',
};
const USERS = ['callfleet-gateway', 'callfleet-worker', 'callfleet-relay', 'callfleet-operator'] as const;

const may = async (user: string, command: string, ...args: string[]) =>
  (await admin.call('ACL', 'DRYRUN', user, command, ...args)) === 'OK';
const keysFor = async (user: string, command: string, ...before: string[]) => {
  const found: string[] = [];
  for (const [name, key] of Object.entries(KEYS)) if (await may(user, command, ...before, key)) found.push(name);
  return found;
};

test('gateways, workers, relays and operators have their own keys and nobody else’s', async () => {
  const keys = await Promise.all(
    USERS.map(async (user) => [user, await keysFor(user, 'evalsha', 'x', '1'), await keysFor(user, 'del')]),
  );
  const ofGateways = ['gateways’ sessions', 'a shard', 'an Asterisk', 'a trunk', 'its pace'];
  const ofWorkers = ['workers’ sessions', 'a call'];
  const ofRelays = ['places with a voice AI', 'their pace'];
  expect(keys).toEqual([
    ['callfleet-gateway', ofGateways, ofGateways],
    ['callfleet-worker', ofWorkers, ofWorkers],
    // It lets its places run out, or leaves them; it deletes no key.
    ['callfleet-relay', ofRelays, []],
    ['callfleet-operator', [], []],
  ]);
  expect(await keysFor('callfleet-gateway', 'evalsha_ro', 'x', '1')).toEqual([
    'gateways’ sessions',
    'workers’ sessions',
    ...ofGateways.slice(1),
  ]);
});

test('no service has a command that it does not need', async () => {
  const commandsOf = async (user: string) => {
    const all = (await admin.call('ACL', 'GETUSER', user)) as string[];
    return (all[all.indexOf('commands') + 1] ?? '').split(' ').sort();
  };
  const connection = '-@all +client|setinfo +client|setname +info +ping +quit +select'.split(' ');
  const scripts = '+eval +eval_ro +evalsha +evalsha_ro'.split(' ');
  const leases = '+del +hdel +hget +hset +pexpire +time'.split(' ');
  const sessions = '+zadd +zrange +zrem +zremrangebyscore +zscore'.split(' ');
  const worker = [...connection, ...scripts, ...leases, ...sessions];
  expect(await commandsOf('callfleet-worker')).toEqual(worker.sort());
  expect(await commandsOf('callfleet-gateway')).toEqual([...worker, '+get', '+set', '+zcard'].sort());
  const places = '+get +pexpire +set +time +zadd +zcard +zrem +zremrangebyscore +zscore'.split(' ');
  expect(await commandsOf('callfleet-relay')).toEqual([...connection, ...scripts, ...places].sort());
  expect(await commandsOf('callfleet-operator')).toEqual(connection.sort());
});

test('a worker’s script can not reach a shard’s lease by a key that it did not name', async () => {
  const worker = await connectRedis(
    redis.url.replace('://', `://callfleet-worker:${await secrets.redisPassword('worker')}@`),
    { name: 'test', onError: () => {} },
  );
  try {
    const steal = worker.eval("return redis.call('HSET', ARGV[1], 'owner', 'me')", 0, KEYS['a shard']);
    await expect(steal).rejects.toThrow(/can't be accessed|No permissions|NOPERM/i);
    await expect(worker.hset(KEYS['a shard'], 'owner', 'me')).rejects.toThrow(/NOPERM/);
    expect(await worker.hset(KEYS['a call'], 'owner', 'me')).toBe(1);
    expect(await admin.exists(KEYS['a shard'])).toBe(0);
  } finally {
    worker.disconnect();
  }
});

test('a relay counts its conversations with voice AIs', async () => {
  const relay = await connectRedis(
    redis.url.replace('://', `://callfleet-relay:${await secrets.redisPassword('relay')}@`),
    { name: 'test', onError: () => {} },
  );
  try {
    expect(await takeAiPlace(relay, 'openai', 1, 'first')).toBe(true);
    expect(await takeAiPlace(relay, 'openai', 1, 'second')).toBe(false);
    await keepAiPlaces(relay, 'openai', ['first']);
    await leaveAi(relay, 'openai', 'first');
    expect(await takeAiPlace(relay, 'openai', 1, 'second')).toBe(true);
  } finally {
    relay.disconnect();
  }
});

test('nobody comes in without a user', async () => {
  expect(await admin.call('ACL', 'USERS')).toEqual([...USERS, 'default'].sort());
  for (const url of [redis.url, redis.url.replace('://', '://callfleet-relay:x@')])
    await expect(connectRedis(url, { name: 'test', onError: () => {} })).rejects.toMatchObject({
      code: 'CF_REDIS_UNAUTHORIZED',
      message: expect.stringContaining('callfleet redis-acl'),
    });
});

import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServer, configOf, listen } from './fake-pbx.ts';
import { checkRedis, readRedisInfo } from './redis.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const configFor = (url: string) => configOf([{}], { CALLFLEET_REDIS__URL: url });

const info = (facts: Record<string, string>) =>
  Object.entries({ redis_version: '8.0.2', role: 'master', maxmemory: '0', maxmemory_policy: 'noeviction', ...facts })
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');

const troubles = (facts: Record<string, string>) =>
  readRedisInfo(info(facts))
    .filter(({ level }) => level !== 'ok')
    .map(({ check, level }) => `${level}: ${check}`);

describe('Redis', () => {
  test('that does not run is unreachable', async () => {
    expect(await checkRedis(configFor('redis://127.0.0.1:1'), 1000)).toMatchObject([
      { check: 'reachable', level: 'problem', found: expect.stringMatching(/refuses/) },
    ]);
  });

  test('that wants a password says so', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (commands) => {
        const count = commands.toString().match(/^\*/gm)?.length ?? 0;
        socket.write('-NOAUTH Authentication required.\r\n'.repeat(count));
      });
    });
    closers.push(() => closeServer(server));
    const { host } = new URL(await listen(server));
    expect(await checkRedis(configFor(`redis://${host}`), 1000)).toMatchObject([{ check: 'credentials' }]);
  });

  test('with its defaults is well', () => {
    expect(troubles({})).toEqual([]);
  });

  test('as a replica takes no leases', () => {
    expect(troubles({ role: 'slave', master_host: '10.0.0.1', master_port: '6379' })).toEqual(['problem: role']);
  });

  test('that evicts would forget leases, once it has a memory limit', () => {
    expect(troubles({ maxmemory_policy: 'allkeys-lru' })).toEqual([]);
    expect(troubles({ maxmemory_policy: 'volatile-ttl', maxmemory: '1000000' })).toEqual(['problem: eviction']);
    expect(troubles({ maxmemory: '1000000' })).toEqual([]);
  });

  test('of an old version is not tested', () => {
    expect(troubles({ redis_version: '6.0.16' })).toEqual(['warning: version']);
  });
});

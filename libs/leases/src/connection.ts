import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { RedisError } from './errors.ts';

/** ioredis with our scripts as methods. The keys that a script names are in one slot, so Redis Cluster works. */
export interface LeaseRedis extends Redis {
  renewSession(key: string, instance: string, ttlMs: number, begins: 0 | 1): Promise<[isAlive: 0 | 1, alive: string[]]>;
  isSessionAlive(key: string, instance: string): Promise<0 | 1>;
  acquireLease(
    key: string,
    owner: string,
    lostOwner: string,
    floor: number,
    ttlMs: number,
  ): Promise<[owner: string, epoch: number]>;
  assertLease(key: string, owner: string, epoch: number, ttlMs: number): Promise<0 | 1>;
  releaseLease(key: string, owner: string, epoch: number): Promise<0 | 1>;
  yieldLease(key: string, owner: string, epoch: number): Promise<0 | 1>;
  takeTrunkPlace(
    key: string,
    paceKey: string,
    call: string,
    ttlMs: number,
    maxCalls: number,
    callsPerSecond: number,
  ): Promise<'taken' | 'full' | 'too-fast'>;
  keepTrunkPlaces(key: string, ttlMs: number, ...calls: string[]): Promise<number>;
}

/** By name, how many keys each has. */
const scripts = {
  renewSession: 1,
  isSessionAlive: 1,
  acquireLease: 1,
  assertLease: 1,
  releaseLease: 1,
  yieldLease: 1,
  takeTrunkPlace: 2,
  keepTrunkPlaces: 1,
} as const;

/** Connects, and goes on reconnecting later. @throws RedisError */
export async function connectRedis(
  url: string,
  options: { name: string; connectTimeoutMs?: number; onError: (error: Error) => void },
): Promise<LeaseRedis> {
  const where = new URL(url).host;
  let connected = false;
  let lastError: Error | undefined;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: options.name,
    connectTimeout: options.connectTimeoutMs ?? 5000,
    // A command that waits for Redis longer than this is refused; its caller decides what to do.
    commandTimeout: 5000,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => (connected ? Math.min(attempt * 100, 1000) : null),
  }) as LeaseRedis;
  redis.on('error', (error: Error) => {
    lastError = error;
    if (connected) options.onError(error);
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const cause = lastError ?? (error as Error);
    if (/NOAUTH|WRONGPASS|NOPERM|invalid password/i.test(`${cause.message} ${(error as Error).message}`))
      throw new RedisError('CF_REDIS_UNAUTHORIZED', `Redis at ${where} refused the credentials: check redis.url`, {
        cause,
      });
    throw new RedisError(
      'CF_REDIS_UNREACHABLE',
      `Redis at ${where} does not answer: check redis.url, and that it runs (${cause.message})`,
      { cause },
    );
  }
  connected = true;
  for (const [name, numberOfKeys] of Object.entries(scripts))
    redis.defineCommand(name, {
      numberOfKeys,
      lua: readFileSync(new URL(`./commands/${name}-${numberOfKeys}.lua`, import.meta.url), 'utf8'),
    });
  return redis;
}

/** In words for a person; undefined while the connection stands. */
export function whyRedisIsAway(redis: LeaseRedis): string | undefined {
  return redis.status === 'ready' ? undefined : `the connection is ${redis.status}`;
}

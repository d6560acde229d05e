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

/** By name, how many keys each has. What is read-only may be run by users who may only read the keys. */
const scripts: Readonly<Record<string, { readonly numberOfKeys: number; readonly readOnly?: boolean }>> = {
  renewSession: { numberOfKeys: 1 },
  isSessionAlive: { numberOfKeys: 1, readOnly: true },
  acquireLease: { numberOfKeys: 1 },
  assertLease: { numberOfKeys: 1 },
  releaseLease: { numberOfKeys: 1 },
  yieldLease: { numberOfKeys: 1 },
  takeTrunkPlace: { numberOfKeys: 2 },
  keepTrunkPlaces: { numberOfKeys: 1 },
};

export interface RedisOptions {
  /** Shown in Redis's CLIENT LIST. */
  name: string;
  /** PEM files; `rediss://` without them trusts the authorities that Node knows. */
  tls?: { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined } | undefined;
  connectTimeoutMs?: number;
  onError: (error: Error) => void;
}

/** Connects, and goes on reconnecting later. @throws RedisError */
export async function connectRedis(url: string, options: RedisOptions): Promise<LeaseRedis> {
  const where = new URL(url).host;
  const tls = options.tls && readTlsFiles(options.tls);
  let connected = false;
  let lastError: Error | undefined;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: options.name,
    connectTimeout: options.connectTimeoutMs ?? 5000,
    // A command that waits for Redis longer than this is refused; its caller decides what to do.
    commandTimeout: 5000,
    maxRetriesPerRequest: null,
    ...(tls && { tls }),
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
      throw new RedisError(
        'CF_REDIS_UNAUTHORIZED',
        `Redis at ${where} refused the credentials: check redis.url, and that Redis has this user with the permissions that ` +
          `\`callfleet redis-acl\` prints (${cause.message})`,
        { cause },
      );
    throw new RedisError(
      'CF_REDIS_UNREACHABLE',
      `Redis at ${where} does not answer: check redis.url and redis.tls, and that it runs (${cause.message})`,
      { cause },
    );
  }
  connected = true;
  for (const [name, { numberOfKeys, readOnly = false }] of Object.entries(scripts))
    redis.defineCommand(name, {
      numberOfKeys,
      readOnly,
      lua: readFileSync(new URL(`./commands/${name}-${numberOfKeys}.lua`, import.meta.url), 'utf8'),
    });
  return redis;
}

function readTlsFiles({ caFile, certFile, keyFile }: NonNullable<RedisOptions['tls']>) {
  const files = { ca: caFile, cert: certFile, key: keyFile };
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, file]) => {
      if (file === undefined) return [];
      try {
        return [[name, readFileSync(file, 'utf8')]];
      } catch (cause) {
        const why = (cause as NodeJS.ErrnoException).code;
        throw new RedisError('CF_REDIS_TLS', `redis.tls.${name}File: ${file} can't be read (${why})`, { cause });
      }
    }),
  );
}

/** In words for a person; undefined while the connection stands. */
export function whyRedisIsAway(redis: LeaseRedis): string | undefined {
  return redis.status === 'ready' ? undefined : `the connection is ${redis.status}`;
}

import type { Config } from '@callfleet/config';
import { connectRedis, RedisError } from '@callfleet/leases';
import { reasonOf } from './connection-reason.ts';
import { type Finding, Findings } from './finding.ts';

const OLDEST_MAJOR = 7;

const about = new Findings('redis');

export async function checkRedis({ redis: { url, tls } }: Config, connectTimeoutMs: number): Promise<Finding[]> {
  const { host, hostname } = new URL(url);
  try {
    const redis = await connectRedis(url, { name: 'callfleet-doctor', tls, connectTimeoutMs, onError: () => {} });
    try {
      return [about.ok('reachable', host), ...readRedisInfo(await redis.info())];
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    if (error instanceof RedisError && error.code === 'CF_REDIS_UNAUTHORIZED')
      return [
        about.problem(
          'credentials',
          `${host} refuses them`,
          'mend redis.url: redis://user:password@host:port; with ACLs, load what ./callfleet redis-acl prints',
        ),
      ];
    if (!(error instanceof RedisError)) throw error;
    const reason = reasonOf(error, { host, hostname });
    return [
      about.problem(
        'reachable',
        reason?.found ?? error.message,
        reason?.mend ?? 'check redis.url (rediss:// for TLS), and that Redis runs',
      ),
    ];
  }
}

/** What INFO shows that leases and sessions cannot live with. */
export function readRedisInfo(info: string): Finding[] {
  const facts = new Map(
    info.split(/\r?\n/).flatMap((line): [string, string][] => {
      const [name, value] = line.split(':', 2);
      return name !== undefined && value !== undefined ? [[name, value]] : [];
    }),
  );
  return [checkRole(facts), checkVersion(facts), checkEviction(facts)];
}

type Facts = ReadonlyMap<string, string>;

function checkRole(facts: Facts): Finding {
  if (facts.get('role') !== 'slave') return about.ok('role', 'takes writes');
  const master = `${facts.get('master_host')}:${facts.get('master_port')}`;
  return about.problem(
    'role',
    `is a read-only replica of ${master}`,
    `set redis.url to ${master}, or to what follows it`,
  );
}

function checkVersion(facts: Facts): Finding {
  const version = facts.get('redis_version') ?? 'unknown';
  return Number.parseInt(version, 10) < OLDEST_MAJOR
    ? about.warning('version', `${version}: Callfleet is not tested below ${OLDEST_MAJOR}`, 'update Redis')
    : about.ok('version', version);
}

function checkEviction(facts: Facts): Finding {
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  const evicts = policy !== 'noeviction' && facts.get('maxmemory') !== '0';
  return evicts
    ? about.problem(
        'eviction',
        `maxmemory-policy is ${policy}: a full Redis forgets leases, and two workers may take one call`,
        'maxmemory-policy noeviction; give Callfleet a Redis of its own if others need eviction',
      )
    : about.ok('eviction', policy === 'noeviction' ? 'off' : 'never happens, since maxmemory is not set');
}

import { createHash } from 'node:crypto';
import { keyOf as aiKeyOf, paceKeyOf as aiPaceKeyOf } from './ai-sessions.ts';
import { keyOf as leaseKeyOf } from './lease.ts';
import { keyOf as sessionKeyOf } from './session.ts';
import { paceKeyOf, keyOf as trunkKeyOf } from './trunk.ts';

/** Each has a user of its own in Redis. A relay needs Redis only where conversations with a voice AI are limited. */
const redisServices = ['gateway', 'worker', 'relay', 'operator'] as const;

export type RedisService = (typeof redisServices)[number];

/** What one user may do, in the words of Redis's ACL. */
interface RedisPermissions {
  readonly keys: readonly string[];
  /** Without `+`. What a script runs counts as run by its user. */
  readonly commands: readonly string[];
}

/** To connect, to know that Redis is ready, and for the doctor. INFO tells of the server, never of a key. */
const CONNECTION = ['ping', 'info', 'select', 'quit', 'client|setname', 'client|setinfo'];
const SCRIPTS = ['eval', 'evalsha', 'eval_ro', 'evalsha_ro'];
const SESSIONS = ['time', 'zadd', 'zscore', 'zrange', 'zrem', 'zremrangebyscore'];
const LEASES = ['hget', 'hset', 'hdel', 'del', 'pexpire'];
const TRUNKS = ['zcard', 'get', 'set'];
const AI_PLACES = ['time', 'zadd', 'zcard', 'zscore', 'zrem', 'zremrangebyscore', 'pexpire', 'get', 'set'];

const readWrite = (pattern: string) => `~${pattern}`;
const readOnly = (pattern: string) => `%R~${pattern}`;

const redisPermissions: Readonly<Record<RedisService, RedisPermissions>> = {
  gateway: {
    keys: [
      readWrite(sessionKeyOf('gateway')),
      // Whether a silent worker is lost.
      readOnly(sessionKeyOf('worker')),
      ...[leaseKeyOf('shard/*'), leaseKeyOf('entity/*'), trunkKeyOf('*'), paceKeyOf('*')].map(readWrite),
    ],
    commands: [...CONNECTION, ...SCRIPTS, ...SESSIONS, ...LEASES, ...TRUNKS],
  },
  worker: {
    // A call's id has a "." in it; names of shards and ids of Asterisks have none.
    keys: [sessionKeyOf('worker'), leaseKeyOf('*.*')].map(readWrite),
    commands: [...CONNECTION, ...SCRIPTS, ...SESSIONS, ...LEASES],
  },
  relay: {
    keys: [aiKeyOf('*'), aiPaceKeyOf('*')].map(readWrite),
    commands: [...CONNECTION, ...SCRIPTS, ...AI_PLACES],
  },
  operator: { keys: [], commands: CONNECTION },
};

function redisUserOf(service: RedisService): string {
  return `callfleet-${service}`;
}

/**
 * A file for Redis's `aclfile`. The passwords are in it as SHA-256, as Redis itself keeps them: they must be long and random. The
 * user `default`, which may do everything, is for replicas, Sentinel and people.
 */
export function aclFile(passwordOf: (user: RedisService | 'admin') => string): string {
  const users = redisServices.map((service) => {
    const { keys, commands } = redisPermissions[service];
    const rules = ['resetchannels', ...keys, '-@all', ...commands.map((command) => `+${command}`)];
    return `user ${redisUserOf(service)} on #${sha256(passwordOf(service))} ${rules.join(' ')}\n`;
  });
  return `user default on #${sha256(passwordOf('admin'))} ~* &* +@all\n${users.join('')}`;
}

function sha256(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

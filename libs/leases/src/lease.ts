import type { LeaseRedis } from './connection.ts';
import type { Session } from './session.ts';

/** A claim on one thing (a call, a shard). Its epoch is the fencing token: it rises with every new owner. */
export interface Lease {
  readonly what: string;
  readonly owner: string;
  readonly epoch: number;
}

/** A lease that nobody gives up goes with this: longer than any call. */
const LEASE_TTL_MS = 24 * 3_600_000;

export const keyOf = (what: string) => `cf:lease:{${what}}`;

/** What an owner shows of itself beside its session: it answers; it should and does not; nobody is left to answer for it. */
export type Presence = 'there' | 'silent' | 'gone';

/**
 * The rule of taking over: an owner may be taken from when it is gone, or when it is silent and its session has run out. One
 * that answers keeps what it has, though it may not reach Redis. If this errs, the epoch protects.
 */
export async function isLost(presence: Presence, isSessionAlive: () => Promise<boolean>): Promise<boolean> {
  return presence === 'gone' || (presence === 'silent' && !(await isSessionAlive()));
}

export interface AcquireOptions {
  /** An epoch that is known to have been: the new one is higher, even if Redis came back empty. Default 0. */
  readonly floor?: number;
  /** Asked of an owner that is in the way. Default: all are silent, so that their sessions alone decide. */
  readonly presenceOf?: (owner: string) => Promise<Presence>;
}

/**
 * Takes the lease on `what` for the session's process, unless it has an owner that is not lost.
 *
 * @returns the lease as it is now: ours if `owner` is the session's instance
 */
export async function acquireLease(
  redis: LeaseRedis,
  session: Pick<Session, 'instance' | 'isAlive'>,
  what: string,
  { floor = 0, presenceOf = async () => 'silent' }: AcquireOptions = {},
): Promise<Lease> {
  const acquire = async (lostOwner: string): Promise<Lease> => {
    const [owner, epoch] = await redis.acquireLease(keyOf(what), session.instance, lostOwner, floor, LEASE_TTL_MS);
    return { what, owner, epoch };
  };
  const lease = await acquire('');
  if (lease.owner === session.instance) return lease;
  if (!(await isLost(await presenceOf(lease.owner), () => session.isAlive(lease.owner)))) return lease;
  return acquire(lease.owner);
}

/** Who has the leases on `what`, in its order; undefined: nobody. */
export function leaseOwners(redis: LeaseRedis, what: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(what.map(async (one) => (await redis.hget(keyOf(one), 'owner')) ?? undefined));
}

/** What `owner` has of `what`; undefined: it is free, or another's. */
export async function leaseOf(redis: LeaseRedis, owner: string, what: string): Promise<Lease | undefined> {
  const [holder, epoch] = await Promise.all([redis.hget(keyOf(what), 'owner'), redis.hget(keyOf(what), 'epoch')]);
  return holder === owner && epoch !== null ? { what, owner, epoch: Number(epoch) } : undefined;
}

/** Says again that it is ours, when Redis may have lost it. @returns false when it is somebody else's by now */
export async function assertLease(redis: LeaseRedis, lease: Lease): Promise<boolean> {
  return (await redis.assertLease(keyOf(lease.what), lease.owner, lease.epoch, LEASE_TTL_MS)) === 1;
}

/** @returns false when it was somebody else's already */
export async function releaseLease(redis: LeaseRedis, lease: Lease): Promise<boolean> {
  return (await redis.releaseLease(keyOf(lease.what), lease.owner, lease.epoch)) === 1;
}

/** Lets another process take it at once; what it is for goes on. @returns false when it was somebody else's already */
export async function yieldLease(redis: LeaseRedis, lease: Lease): Promise<boolean> {
  return (await redis.yieldLease(keyOf(lease.what), lease.owner, lease.epoch)) === 1;
}

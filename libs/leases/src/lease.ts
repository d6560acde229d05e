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

const keyOf = (what: string) => `cf:lease:{${what}}`;

/**
 * Takes the lease on `what` for the session's process, unless an owner that is alive has it.
 *
 * @param floor an epoch that is known to have been: the new one is higher, even if Redis came back empty
 * @param isGone other evidence that an owner is dead, sooner than its session runs out; if it errs, the epoch protects
 * @returns the lease as it is now: ours if `owner` is the session's instance
 */
export async function acquireLease(
  redis: LeaseRedis,
  session: Session,
  what: string,
  floor = 0,
  isGone: (owner: string) => Promise<boolean> = async () => false,
): Promise<Lease> {
  const acquire = async (deadOwner: string): Promise<Lease> => {
    const [owner, epoch] = await redis.acquireLease(keyOf(what), session.instance, deadOwner, floor, LEASE_TTL_MS);
    return { what, owner, epoch };
  };
  const lease = await acquire('');
  if (lease.owner === session.instance) return lease;
  if ((await session.isAlive(lease.owner)) && !(await isGone(lease.owner))) return lease;
  return acquire(lease.owner);
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

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
 * Takes the lease on `what` for the session's process; undefined when an owner that is alive has it.
 *
 * @param isGone other evidence that an owner is dead, sooner than its session runs out; if it errs, the epoch protects
 */
export async function acquireLease(
  redis: LeaseRedis,
  session: Session,
  what: string,
  isGone: (owner: string) => Promise<boolean> = async () => false,
): Promise<Lease | undefined> {
  const first = await redis.acquireLease(keyOf(what), session.instance, '', LEASE_TTL_MS);
  if (first[0] === 1) return { what, owner: session.instance, epoch: first[1] };
  const holder = first[1];
  if ((await session.isAlive(holder)) && !(await isGone(holder))) return undefined;
  const second = await redis.acquireLease(keyOf(what), session.instance, holder, LEASE_TTL_MS);
  return second[0] === 1 ? { what, owner: session.instance, epoch: second[1] } : undefined;
}

/** @returns false when it was somebody else's already */
export async function releaseLease(redis: LeaseRedis, lease: Lease): Promise<boolean> {
  return (await redis.releaseLease(keyOf(lease.what), lease.owner, lease.epoch)) === 1;
}

/** Lets another process take it at once; what it is for goes on. @returns false when it was somebody else's already */
export async function yieldLease(redis: LeaseRedis, lease: Lease): Promise<boolean> {
  return (await redis.yieldLease(keyOf(lease.what), lease.owner, lease.epoch)) === 1;
}

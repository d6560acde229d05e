/** Sessions and leases in Redis: who is alive, and who has what. */
export { connectRedis, type LeaseRedis, whyRedisIsAway } from './connection.ts';
export { RedisError } from './errors.ts';
export {
  acquireLease,
  assertLease,
  isLost,
  type Lease,
  leaseOwners,
  type Presence,
  releaseLease,
  yieldLease,
} from './lease.ts';
export { isSessionAlive, Session } from './session.ts';

/** Sessions, leases and trunks in Redis: who is alive, who has what, and how many calls and conversations are where. */
export { KEEP_AI_PLACES_EVERY_MS, keepAiPlaces, leaveAi, takeAiPlace } from './ai-sessions.ts';
export { connectRedis, type LeaseRedis, whyRedisIsAway } from './connection.ts';
export { RedisError } from './errors.ts';
export {
  acquireLease,
  assertLease,
  isLost,
  type Lease,
  leaseOf,
  leaseOwners,
  type Presence,
  releaseLease,
  yieldLease,
} from './lease.ts';
export { aclFile } from './permissions.ts';
export { isSessionAlive, Session } from './session.ts';
export { KEEP_TRUNK_PLACES_EVERY_MS, keepTrunkPlaces, leaveTrunk, type TrunkLimits, takeTrunkPlace } from './trunk.ts';

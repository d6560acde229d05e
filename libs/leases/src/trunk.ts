import type { LeaseRedis } from './connection.ts';

/** How many calls a trunk takes, whichever PBXs they are on. */
export interface TrunkLimits {
  readonly name: string;
  /** At once. */
  readonly maxCalls: number;
  /** And so many at once after a second without any. Absent: as many as may be. */
  readonly callsPerSecond?: number | undefined;
}

/** A place that nobody keeps is free after this: its gateway died, and no other took the call's shard over. */
const TRUNK_PLACE_TTL_MS = 60_000;
/** How often places must be kept, milliseconds. */
export const KEEP_TRUNK_PLACES_EVERY_MS = TRUNK_PLACE_TTL_MS / 4;

export const keyOf = (trunk: string) => `cf:trunk:{${trunk}}`;
export const paceKeyOf = (trunk: string) => `${keyOf(trunk)}:pace`;

/** Takes a place of the trunk for a call. To be kept, and left at the call's end. */
export function takeTrunkPlace(
  redis: LeaseRedis,
  { name, maxCalls, callsPerSecond = 0 }: TrunkLimits,
  call: string,
  ttlMs = TRUNK_PLACE_TTL_MS,
): Promise<'taken' | 'full' | 'too-fast'> {
  return redis.takeTrunkPlace(keyOf(name), paceKeyOf(name), call, ttlMs, maxCalls, callsPerSecond);
}

/** Says which calls are still on the trunk, also to a Redis that has lost it. @returns how many are, those of others included */
export function keepTrunkPlaces(
  redis: LeaseRedis,
  trunk: string,
  calls: readonly string[],
  ttlMs = TRUNK_PLACE_TTL_MS,
): Promise<number> {
  return redis.keepTrunkPlaces(keyOf(trunk), ttlMs, ...calls);
}

/** The call is over. Leaving a place that it does not have changes nothing. */
export async function leaveTrunk(redis: LeaseRedis, trunk: string, call: string): Promise<void> {
  await redis.zrem(keyOf(trunk), call);
}

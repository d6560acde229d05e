import type { LeaseRedis } from './connection.ts';

/** A place that nobody keeps is free after this: its relay died, and no other took the conversation over. */
const AI_PLACE_TTL_MS = 30_000;
/** How often places must be kept, milliseconds. */
export const KEEP_AI_PLACES_EVERY_MS = AI_PLACE_TTL_MS / 3;

export const keyOf = (account: string) => `cf:ai:{${account}}`;
export const paceKeyOf = (account: string) => `${keyOf(account)}:pace`;

/** Takes one of `places` of an account at a voice AI for a conversation, if there is one. To be kept, and left at its end. */
export async function takeAiPlace(
  redis: LeaseRedis,
  account: string,
  places: number,
  conversation: string,
  ttlMs = AI_PLACE_TTL_MS,
): Promise<boolean> {
  // As on a trunk that takes as many new calls a second as may be.
  const answer = await redis.takeTrunkPlace(keyOf(account), paceKeyOf(account), conversation, ttlMs, places, 0);
  return answer === 'taken';
}

/** Says which conversations go on, also to a Redis that has lost it. */
export async function keepAiPlaces(
  redis: LeaseRedis,
  account: string,
  conversations: readonly string[],
  ttlMs = AI_PLACE_TTL_MS,
): Promise<void> {
  await redis.keepTrunkPlaces(keyOf(account), ttlMs, ...conversations);
}

/** The conversation is over. Leaving a place that it does not have changes nothing. */
export async function leaveAi(redis: LeaseRedis, account: string, conversation: string): Promise<void> {
  await redis.zrem(keyOf(account), conversation);
}

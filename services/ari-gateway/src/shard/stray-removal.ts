import { setTimeout as wait } from 'node:timers/promises';
import { type AriRequester, bridges, channels } from '@callfleet/ari';
import type { Logger } from '@callfleet/telemetry';
import { inParallel } from '../async/in-parallel.ts';
import type { Strays } from '../events/pbx-snapshot.ts';

export interface StrayRemovalOptions {
  readonly http: AriRequester;
  /** What there is now. @throws AriError */
  readonly look: () => Promise<Strays>;
  /** Milliseconds. */
  readonly afterMs: number;
  readonly log: Logger;
}

/** Requests to the PBX that wait for their answers at once. */
const AT_ONCE = 16;

/** Removes what is still there after a while, and its call is still not. What fails is tried again, until there is nothing, or it is `over`. */
export async function removeStrays(options: StrayRemovalOptions, first: Strays, over: AbortSignal): Promise<void> {
  const { afterMs, log } = options;
  for (let seen = first; countOf(seen) > 0; ) {
    await wait(afterMs, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    try {
      seen = await removeThoseSeen(options, seen);
    } catch (error) {
      log.warn({ err: error, againInMs: afterMs }, 'shard.strays-left');
    }
  }
}

/** @returns others, that have come since */
async function removeThoseSeen({ http, look, log }: StrayRemovalOptions, seen: Strays): Promise<Strays> {
  const now = await look();
  const strays = {
    channels: now.channels.filter((id) => seen.channels.includes(id)),
    bridges: now.bridges.filter((id) => seen.bridges.includes(id)),
  };
  await inParallel(strays.channels, AT_ONCE, (channelId) => http.request(channels.hangup({ channelId })));
  await inParallel(strays.bridges, AT_ONCE, (bridgeId) => http.request(bridges.destroy({ bridgeId })));
  if (countOf(strays) > 0) log.warn(strays, 'shard.strays-removed');
  return {
    channels: now.channels.filter((id) => !strays.channels.includes(id)),
    bridges: now.bridges.filter((id) => !strays.bridges.includes(id)),
  };
}

function countOf({ channels: legs, bridges: rooms }: Strays): number {
  return legs.length + rooms.length;
}

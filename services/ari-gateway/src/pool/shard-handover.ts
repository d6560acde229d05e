import { BusError, type HandOver } from '@callfleet/bus';
import { type Lease, type LeaseRedis, yieldLease } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import type { Shard } from '../names/shard.ts';

/** A shard's link, as far as handing it over goes. */
export interface LeavingLink {
  /** Its socket is lost: takes no more commands, and publishes what it has read. */
  abandon(): Promise<void>;
  /** @throws when it could not be, or not in time: the link is to `serve` again */
  release(connectHeir: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface HandOverOptions {
  readonly redis: LeaseRedis;
  /** @throws when the heir could not, or does not answer */
  readonly ask: (heir: string, handOver: HandOver) => Promise<void>;
  readonly log: Logger;
}

interface Leaving {
  readonly shard: Shard;
  readonly lease: Lease;
  readonly link: LeavingLink;
}

/**
 * Lets the heir have a shard whose socket is lost, if its mirror has seen what was missed: as if this gateway had died, but that all it
 * has read is published before.
 *
 * @returns false when it is still ours
 */
export async function cede(
  { redis, ask, log }: HandOverOptions,
  { shard, lease, link }: Leaving,
  heir: string,
): Promise<boolean> {
  const from = performance.now();
  try {
    await ask(heir, { step: 'mirror', ...shard });
    await link.abandon();
    await yieldLease(redis, lease);
  } catch (error) {
    // Where the PBX itself is away nobody sees it.
    if (error instanceof BusError) log.debug({ ...shard, heir, reason: error.message }, 'shard.not-ceded');
    else log.warn({ ...shard, heir, err: error }, 'shard.not-ceded');
    return false;
  }
  await tellTaken(ask, heir, shard, log);
  log.info({ ...shard, heir, ms: Math.round(performance.now() - from) }, 'shard.ceded');
  return true;
}

/** It finds the free lease by itself, a little later. */
function tellTaken(ask: HandOverOptions['ask'], heir: string, shard: Shard, log: Logger): Promise<void> {
  return ask(heir, { step: 'take', ...shard }).catch((error: unknown) =>
    log.warn({ ...shard, heir, err: error }, 'shard.not-told'),
  );
}

/**
 * Hands a shard over, make-before-break. The heir's socket stands first, and from then on has the shard's events, which the heir
 * holds; then this gateway carries out what it has taken, publishes what it has read, and gives the lease up; only then the heir takes
 * commands and lets its events through. Whoever dies meanwhile: the lease says whose the shard is.
 *
 * @returns false when it is still ours: its link is to serve again
 */
export async function handOver(
  options: HandOverOptions,
  { shard, lease, link }: Leaving,
  heir: string,
): Promise<boolean> {
  const { redis, ask, log } = options;
  const from = performance.now();
  try {
    await link.release(() => ask(heir, { step: 'connect', ...shard }));
    await yieldLease(redis, lease);
  } catch (error) {
    // That an heir stops too, or has just died, is everyday.
    if (error instanceof BusError) log.info({ ...shard, heir, reason: error.message }, 'shard.not-handed-over');
    else log.warn({ ...shard, heir, err: error }, 'shard.not-handed-over');
    return false;
  }
  await tellTaken(ask, heir, shard, log);
  log.info({ ...shard, heir, ms: Math.round(performance.now() - from) }, 'shard.handed-over');
  await link.close().catch((error: unknown) => log.warn({ ...shard, err: error }, 'shard.not-closed'));
  return true;
}

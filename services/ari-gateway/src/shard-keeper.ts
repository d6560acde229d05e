import { setTimeout as wait } from 'node:timers/promises';
import { acquireLease, type Lease, type LeaseRedis, releaseLease, type Session } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { type Shard, shardsFor } from './shard-assignment.ts';

export interface ShardKeeperOptions {
  readonly redis: LeaseRedis;
  readonly session: Session;
  readonly shards: readonly Shard[];
  readonly open: (shard: Shard) => { close(): Promise<void> };
  readonly log: Logger;
}

/** Gateways that start together see each other before any takes a shard, milliseconds. */
const SETTLE_MS = 1000;

const nameOf = ({ pbx, shard }: Shard) => `shard/${pbx}/${shard}`;

/** Takes the shards that are this gateway's by assignment, as their leases become free. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;
  readonly #held = new Map<string, { lease: Lease; link: { close(): Promise<void> } }>();
  #gateways: readonly string[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
  }

  /** Told which gateways are alive, again and again. */
  onGateways(gateways: readonly string[]): void {
    this.#gateways = gateways;
    this.#wake.resolve();
  }

  /** Until `stopping`; then every shard is given up. */
  async run(stopping: AbortSignal): Promise<void> {
    stopping.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    await wait(SETTLE_MS, undefined, { signal: stopping }).catch(() => {});
    while (!stopping.aborted) {
      await this.#takeAssigned();
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    await Promise.all([...this.#held.keys()].map((name) => this.#giveUp(name)));
  }

  async #takeAssigned(): Promise<void> {
    const { redis, session, shards, open, log } = this.#options;
    for (const shard of shardsFor(session.instance, this.#gateways, shards)) {
      const name = nameOf(shard);
      if (this.#held.has(name)) continue;
      try {
        const lease = await acquireLease(redis, session, name);
        if (!lease) continue;
        log.info({ ...shard, epoch: lease.epoch }, 'shard.taken');
        this.#held.set(name, { lease, link: open(shard) });
      } catch (error) {
        log.warn({ ...shard, err: error }, 'shard.lease-failed');
      }
    }
  }

  async #giveUp(name: string): Promise<void> {
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (!held) return;
    await held.link.close();
    await releaseLease(this.#options.redis, held.lease);
  }
}

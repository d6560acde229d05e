import { setTimeout as wait } from 'node:timers/promises';
import { acquireLease, assertLease, type Lease, type LeaseRedis, releaseLease, type Session } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import type { HeldShard } from './metrics.ts';
import { type Shard, shardsFor } from './shard-assignment.ts';

export interface ShardKeeperOptions {
  readonly redis: LeaseRedis;
  readonly session: Session;
  readonly shards: readonly Shard[];
  /** Gateways that start together, or come back together, see each other before any takes a shard; milliseconds. */
  readonly settleMs: number;
  readonly open: (shard: Shard) => Link;
  readonly log: Logger;
}

interface Link {
  readonly connected: boolean;
  readonly calls: number;
  close(): Promise<void>;
}

const nameOf = ({ pbx, shard }: Shard) => `shard/${pbx}/${shard}`;

/** Takes the shards that are this gateway's by assignment, as their leases become free. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;
  readonly #held = new Map<string, { shard: Shard; lease: Lease; link: Link }>();
  /** Redis may have lost that we hold them. */
  readonly #unasserted = new Set<string>();
  /** Assigned to us, and held by another gateway that lives: nothing is missing. */
  readonly #elsewhere = new Set<string>();
  #gateways: readonly string[] = [];
  #takesNothingUntil = 0;
  #wake = Promise.withResolvers<void>();

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
  }

  /** Told which gateways are alive, again and again. */
  onGateways(gateways: readonly string[]): void {
    this.#gateways = gateways;
    this.#wake.resolve();
  }

  *held(): Generator<HeldShard> {
    for (const { shard, link } of this.#held.values()) yield { ...shard, connected: link.connected, calls: link.calls };
  }

  /** Why not every shard that should be served from here is; undefined when every one is. */
  whyNotReady(): string | undefined {
    if (this.#gateways.length === 0) return 'not assigned yet';
    const away = [...this.held()].filter(({ connected }) => !connected).map(nameOf);
    const assigned = shardsFor(this.#options.session.instance, this.#gateways, this.#options.shards).map(nameOf);
    const waiting = assigned.filter((name) => !this.#held.has(name) && !this.#elsewhere.has(name));
    const missing = [
      ...away.map((name) => `${name} is not connected`),
      ...waiting.map((name) => `${name} is not taken yet`),
    ];
    return missing.length === 0 ? undefined : missing.join(', ');
  }

  /**
   * Redis had forgotten everybody: says what we hold before anyone takes anything, and takes nothing until the others had
   * time to do the same. Twice as long as at the start: each notices on its own that Redis is back.
   */
  onForgotten(): void {
    this.#takesNothingUntil = Date.now() + 2 * this.#options.settleMs;
    for (const name of this.#held.keys()) this.#unasserted.add(name);
    this.#wake.resolve();
  }

  /** Until `stopping`; then every shard is given up. */
  async run(stopping: AbortSignal): Promise<void> {
    stopping.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    await wait(this.#options.settleMs, undefined, { signal: stopping }).catch(() => {});
    while (!stopping.aborted) {
      await this.#assertHeld();
      await this.#takeAssigned();
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    await Promise.all([...this.#held.keys()].map((name) => this.#giveUp(name)));
  }

  /** What fails is tried again at the next renewal. */
  async #assertHeld(): Promise<void> {
    const { redis, log } = this.#options;
    for (const name of this.#unasserted) {
      const held = this.#held.get(name);
      try {
        if (held && !(await assertLease(redis, held.lease))) {
          log.error({ lease: name, epoch: held.lease.epoch }, 'shard.lost');
          await this.#giveUp(name);
        }
        this.#unasserted.delete(name);
      } catch (error) {
        log.warn({ lease: name, err: error }, 'shard.assert-failed');
      }
    }
  }

  async #takeAssigned(): Promise<void> {
    const { redis, session, shards, open, log } = this.#options;
    for (const shard of shardsFor(session.instance, this.#gateways, shards)) {
      if (Date.now() < this.#takesNothingUntil) return;
      const name = nameOf(shard);
      if (this.#held.has(name)) continue;
      try {
        const lease = await acquireLease(redis, session, name);
        if (lease.owner !== session.instance) {
          this.#elsewhere.add(name);
          continue;
        }
        this.#elsewhere.delete(name);
        log.info({ ...shard, epoch: lease.epoch }, 'shard.taken');
        this.#held.set(name, { shard, lease, link: open(shard) });
      } catch (error) {
        this.#elsewhere.delete(name);
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

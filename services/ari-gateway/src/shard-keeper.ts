import { setTimeout as wait } from 'node:timers/promises';
import { acquireLease, assertLease, type Lease, type LeaseRedis, releaseLease, type Session } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import type { HeldShard } from './metrics.ts';
import { type Shard, shardsFor } from './shard-assignment.ts';

export interface ShardKeeperOptions {
  readonly redis: LeaseRedis;
  readonly session: Session;
  /** As long as {@link ShardKeeper.setShards} says nothing else. */
  readonly shards: readonly Shard[];
  /** Calls on a shard that is none of ours any more may go on for so long, milliseconds. Default 0. */
  readonly drainMs?: number | undefined;
  /** Gateways that start together, or come back together, see each other before any takes a shard; milliseconds. */
  readonly settleMs: number;
  readonly open: (shard: Shard) => Link;
  readonly log: Logger;
}

export interface Link {
  readonly connected: boolean;
  readonly calls: number;
  /** Takes no new calls, and resolves when there are none left, or on `signal`. */
  drain(limitMs: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface Held {
  readonly shard: Shard;
  readonly lease: Lease;
  link: Link;
  /** It is in the configuration no more: ends the wait for its calls. */
  retiring?: AbortController;
  retired?: Promise<void>;
}

const nameOf = ({ pbx, shard }: Shard) => `shard/${pbx}/${shard}`;

/** Takes the shards that are this gateway's by assignment, as their leases become free. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;
  readonly #held = new Map<string, Held>();
  /** Redis may have lost that we hold them. */
  readonly #unasserted = new Set<string>();
  /** Assigned to us, and held by another gateway that lives: nothing is missing. */
  readonly #elsewhere = new Set<string>();
  #shards: readonly Shard[];
  /** PBXs whose links are to be opened anew. */
  #changed: ReadonlySet<string> = new Set();
  #gateways: readonly string[] = [];
  #takesNothingUntil = 0;
  #isStopping = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
    this.#shards = options.shards;
  }

  /**
   * From now on these. What is held and not among them is drained and given up.
   *
   * @param changed PBXs that are reached in another way: their links are closed, and opened again
   */
  setShards(shards: readonly Shard[], changed: ReadonlySet<string> = new Set()): void {
    this.#shards = shards;
    this.#changed = this.#changed.union(changed);
    this.#wake.resolve();
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
    const wanted = [...this.#held.values()].filter(({ retiring }) => !retiring);
    const away = wanted.filter(({ link }) => !link.connected).map(({ shard }) => nameOf(shard));
    const assigned = shardsFor(this.#options.session.instance, this.#gateways, this.#shards).map(nameOf);
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
      this.#retireRemoved();
      await this.#openChanged();
      await this.#takeAssigned();
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    this.#isStopping = true;
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

  /** Each goes its own way: the calls of one must not keep the others waiting. */
  #retireRemoved(): void {
    const wanted = new Set(this.#shards.map(nameOf));
    for (const [name, held] of this.#held)
      if (wanted.has(name)) held.retiring?.abort();
      else if (!held.retiring) {
        held.retiring = new AbortController();
        held.retired = this.#retire(name, held, held.retiring.signal);
      }
  }

  async #retire(name: string, held: Held, signal: AbortSignal): Promise<void> {
    const { drainMs = 0, log } = this.#options;
    log.info({ ...held.shard, calls: held.link.calls }, 'shard.draining');
    try {
      await held.link.drain(drainMs, signal);
      // No other gateway has this shard: its calls would be left in silence.
      if (this.#isStopping) await held.link.drain(0, new AbortController().signal);
      await held.link.close();
      await releaseLease(this.#options.redis, held.lease);
      log.info({ ...held.shard }, 'shard.given-up');
    } catch (error) {
      log.warn({ lease: name, err: error }, 'shard.give-up-failed');
    }
    this.#held.delete(name);
    // It may be wanted again by now.
    this.#wake.resolve();
  }

  async #openChanged(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    const reopen = [...this.#held.values()].filter(({ shard, retiring }) => changed.has(shard.pbx) && !retiring);
    await Promise.all(
      reopen.map(async (held) => {
        try {
          await held.link.close();
          if (this.#isWanted(held.shard)) held.link = this.#options.open(held.shard);
        } catch (error) {
          this.#options.log.error({ ...held.shard, err: error }, 'shard.not-opened-anew');
        }
      }),
    );
  }

  #isWanted(shard: Shard): boolean {
    return this.#shards.some((one) => nameOf(one) === nameOf(shard));
  }

  async #takeAssigned(): Promise<void> {
    const { redis, session, open, log } = this.#options;
    for (const shard of shardsFor(session.instance, this.#gateways, this.#shards)) {
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
        if (!this.#isWanted(shard)) {
          await releaseLease(redis, lease);
          continue;
        }
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
    if (held?.retiring) {
      held.retiring.abort();
      return held.retired;
    }
    this.#held.delete(name);
    if (!held) return;
    await held.link.close();
    await releaseLease(this.#options.redis, held.lease);
  }
}

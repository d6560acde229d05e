import { setTimeout as wait } from 'node:timers/promises';
import type { HandOver } from '@callfleet/bus';
import {
  acquireLease,
  assertLease,
  type Lease,
  type LeaseRedis,
  leaseOwners,
  type Presence,
  releaseLease,
  type Session,
} from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { GatewayPool, type PoolView } from './gateway-pool.ts';
import { inParallel } from './in-parallel.ts';
import type { HeldShard } from './metrics.ts';
import { assign, nameOf, nextMove, type Shard } from './shard-assignment.ts';
import { handOver, type LeavingLink } from './shard-handover.ts';
import { StandbyShards } from './standby-shards.ts';

export interface ShardKeeperOptions {
  readonly redis: LeaseRedis;
  readonly session: Pick<Session, 'instance' | 'isAlive' | 'renew' | 'close'>;
  readonly shards: readonly Shard[];
  /** Gateways that start together, or come back together, see each other before any takes a shard; milliseconds. */
  readonly settleMs: number;
  /** How often it looks who is there, milliseconds. */
  readonly lookEveryMs: number;
  /** Shards are shared out anew when nobody has joined or left for this long, milliseconds. */
  readonly rebalanceAfterMs: number;
  /** A standby's time to connect, and to get the lease; milliseconds. */
  readonly standby: { readonly connectWithinMs: number; readonly maxMs: number };
  readonly presenceOf: (gateway: string) => Promise<Presence>;
  /** @throws when that gateway could not, or does not answer */
  readonly ask: (gateway: string, handOver: HandOver) => Promise<void>;
  /** @param onTaken somebody else has the shard's application, and it was not handed over */
  readonly open: (shard: Shard, onTaken: () => void) => Link;
  readonly log: Logger;
}

interface Link extends LeavingLink {
  readonly connected: boolean;
  readonly calls: number;
  standBy(withinMs: number): Promise<void>;
  serve(): void;
  suspend(): void;
}

interface Held {
  readonly shard: Shard;
  readonly lease: Lease;
  readonly link: Link;
  isLeaving: boolean;
}

const HANDED_OVER_AT_ONCE = 4;
/** Gateways that are asked, one after another, to take a shard of one that stops. */
const MOST_HEIRS = 2;

/** Takes the shards that nobody has and that are this gateway's by assignment; hands over what is another's share, and all at its end. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;
  readonly #self: string;
  readonly #pool: GatewayPool;
  readonly #standby: StandbyShards<Link>;
  readonly #held = new Map<string, Held>();
  /** It is to be asked in Redis whether we hold them still. */
  readonly #doubted = new Set<string>();
  /** Assigned to us, and held by another gateway that lives: nothing is missing. */
  readonly #elsewhere = new Set<string>();
  #view: PoolView = { gateways: [], holders: new Map() };
  #takesNothingUntil = 0;
  #movesNothingUntil = 0;
  #moving: Promise<unknown> | undefined;
  #isStopping = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: ShardKeeperOptions) {
    const { redis, session, shards, presenceOf, open, standby, log } = options;
    this.#options = options;
    this.#self = session.instance;
    const ownersOf = (names: readonly string[]) => leaseOwners(redis, names);
    this.#pool = new GatewayPool({ self: session.instance, shards, ownersOf, presenceOf });
    this.#standby = new StandbyShards({
      open: (shard) => open(shard, () => this.doubt(nameOf(shard))),
      ...standby,
      log,
    });
  }

  /** Told which gateways' sessions are alive, again and again. */
  onGateways(gateways: readonly string[]): void {
    this.#pool.onAlive(gateways);
  }

  *held(): Generator<HeldShard> {
    for (const { shard, link } of this.#held.values()) yield { ...shard, connected: link.connected, calls: link.calls };
  }

  /** Why not every shard that should be served from here is; undefined when every one is. */
  whyNotReady(): string | undefined {
    const { gateways, holders } = this.#view;
    if (gateways.length === 0) return 'not assigned yet';
    const away = [...this.#held].filter(([, { link }]) => !link.connected);
    const assigned = [...assign(this.#options.shards, holders, gateways)].filter(
      ([, gateway]) => gateway === this.#self,
    );
    const waiting = assigned.filter(([name]) => !this.#held.has(name) && !this.#elsewhere.has(name));
    const missing = [
      ...away.map(([name]) => `${name} is not connected`),
      ...waiting.map(([name]) => `${name} is not taken yet`),
    ];
    return missing.length === 0 ? undefined : missing.join(', ');
  }

  /**
   * Redis had forgotten everybody: says what we hold before anyone takes anything, and takes nothing until the others had
   * time to do the same. Twice as long as at the start: each notices on its own that Redis is back.
   */
  onForgotten(): void {
    this.#takesNothingUntil = Date.now() + 2 * this.#options.settleMs;
    for (const name of this.#held.keys()) this.#doubted.add(name);
    this.#wake.resolve();
  }

  /** We were cut off, or stood still: what we hold may be another's. Takes no commands for it until Redis says that it is ours. */
  doubtAll(): void {
    for (const name of this.#held.keys()) this.doubt(name);
  }

  doubt(name: string): void {
    const held = this.#held.get(name);
    if (!held || held.isLeaving) return;
    held.link.suspend();
    this.#doubted.add(name);
    this.#wake.resolve();
  }

  /** Another gateway hands a shard over to this one. @throws when it can't be taken */
  async onHandOver({ step, pbx, shard: app }: HandOver): Promise<void> {
    const shard = this.#options.shards.find((one) => one.pbx === pbx && one.shard === app);
    if (this.#isStopping) throw new Error('this gateway stops');
    if (!shard) throw new Error('it is not configured here');
    if (this.#held.has(nameOf(shard))) throw new Error('this gateway has it');
    if (step === 'connect') await this.#standby.connect(shard);
    else await this.#take(shard);
  }

  /** Until `stopping`; then every shard is handed over, or given up when there is nobody. */
  async run(stopping: AbortSignal): Promise<void> {
    const { settleMs, lookEveryMs } = this.#options;
    stopping.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    await wait(settleMs, undefined, { signal: stopping }).catch(() => {});
    while (!stopping.aborted) {
      await this.#assertDoubted();
      await this.#look();
      const looking = setTimeout(() => this.#wake.resolve(), lookEveryMs);
      await this.#wake.promise;
      clearTimeout(looking);
      this.#wake = Promise.withResolvers();
    }
    this.#isStopping = true;
    await this.#leavePool();
    await this.#standby.close();
    await this.#moving;
    await inParallel([...this.#held.keys()], HANDED_OVER_AT_ONCE, (name) => this.#leave(name));
  }

  /** Nobody hands us a shard from then on. Who came last, perhaps for us, is to be known first. */
  async #leavePool(): Promise<void> {
    const { session, log } = this.#options;
    try {
      await session.renew();
      await session.close();
      this.#view = await this.#pool.look();
    } catch (error) {
      log.warn({ err: error }, 'session.not-closed');
    }
  }

  /** What fails is tried again at the next look. */
  async #assertDoubted(): Promise<void> {
    const { redis, log } = this.#options;
    for (const name of this.#doubted) {
      const held = this.#held.get(name);
      try {
        if (held && !held.isLeaving) {
          if (await assertLease(redis, held.lease)) held.link.serve();
          else {
            log.error({ lease: name, epoch: held.lease.epoch }, 'shard.lost');
            await this.#giveUp(name);
          }
        }
        this.#doubted.delete(name);
      } catch (error) {
        log.warn({ lease: name, err: error }, 'shard.assert-failed');
      }
    }
  }

  async #look(): Promise<void> {
    const { shards, rebalanceAfterMs, log } = this.#options;
    if (!this.#pool.isKnown) return;
    try {
      this.#view = await this.#pool.look();
    } catch (error) {
      log.warn({ err: error }, 'shard.holders-unknown');
      return;
    }
    if (Date.now() < this.#takesNothingUntil) return;
    const { gateways, holders } = this.#view;
    const assigned = assign(shards, holders, gateways);
    for (const shard of shards) if (assigned.get(nameOf(shard)) === this.#self) await this.#take(shard);
    if (this.#moving || this.#pool.stableMs < rebalanceAfterMs || Date.now() < this.#movesNothingUntil) return;
    const move = nextMove(shards, holders, gateways);
    const held = move?.from === this.#self ? this.#held.get(nameOf(move.shard)) : undefined;
    if (!move || !held) return;
    this.#moving = this.#handOver(held, move.to).finally(() => {
      this.#moving = undefined;
    });
  }

  async #take(shard: Shard): Promise<void> {
    const { redis, session, presenceOf, open, log } = this.#options;
    const name = nameOf(shard);
    if (this.#held.has(name)) return;
    try {
      const lease = await acquireLease(redis, session, name, { presenceOf });
      // It may have been taken while Redis was asked, by the one who handed it over to us.
      if (this.#held.has(name)) return;
      if (lease.owner !== this.#self) {
        this.#elsewhere.add(name);
        return;
      }
      this.#elsewhere.delete(name);
      log.info({ ...shard, epoch: lease.epoch }, 'shard.taken');
      const link = this.#standby.take(name) ?? open(shard, () => this.doubt(name));
      this.#held.set(name, { shard, lease, link, isLeaving: false });
      link.serve();
    } catch (error) {
      this.#elsewhere.delete(name);
      log.warn({ ...shard, err: error }, 'shard.lease-failed');
    }
  }

  /** @returns whether it is the other's now */
  async #handOver(held: Held, heir: string): Promise<boolean> {
    const name = nameOf(held.shard);
    held.isLeaving = true;
    const isOver = await handOver(this.#options, held, heir);
    held.isLeaving = false;
    if (isOver) {
      this.#held.delete(name);
      this.#elsewhere.add(name);
    } else {
      this.#movesNothingUntil = Date.now() + this.#options.rebalanceAfterMs;
      this.doubt(name);
    }
    return isOver;
  }

  async #leave(name: string): Promise<void> {
    const { shards } = this.#options;
    let others = this.#view.gateways.filter((gateway) => gateway !== this.#self);
    for (let asked = 0; asked < MOST_HEIRS; asked += 1) {
      const heir = assign(shards, this.#view.holders, others).get(name);
      const held = this.#held.get(name);
      if (heir === undefined || !held) break;
      if (await this.#handOver(held, heir)) return;
      others = others.filter((other) => other !== heir);
    }
    await this.#giveUp(name);
  }

  async #giveUp(name: string): Promise<void> {
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (!held) return;
    await held.link.close();
    await releaseLease(this.#options.redis, held.lease).catch((error: unknown) =>
      this.#options.log.warn({ lease: name, err: error }, 'shard.lease-left'),
    );
  }
}

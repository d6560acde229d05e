import { setTimeout as wait } from 'node:timers/promises';
import type { HandOver } from '@callfleet/bus';
import { leaseOwners, type Session } from '@callfleet/leases';
import { inParallel } from '../async/in-parallel.ts';
import { nameOf, type Shard } from '../names/shard.ts';
import type { HeldShard } from '../telemetry/metrics.ts';
import { GatewayPool, type PoolView } from './gateway-pool.ts';
import { HeldShards, type HeldShardsOptions } from './held-shards.ts';
import { assign, heirs, nextMove } from './shard-assignment.ts';
import type { ShardMirrors } from './shard-mirrors.ts';

export interface ShardKeeperOptions extends HeldShardsOptions {
  readonly session: Pick<Session, 'instance' | 'isAlive' | 'renew' | 'close'>;
  /** As long as {@link ShardKeeper.setShards} says nothing else. */
  readonly shards: readonly Shard[];
  /** Gateways that start together, or come back together, see each other before any takes a shard; milliseconds. */
  readonly settleMs: number;
  /** How often it looks who is there, milliseconds. */
  readonly lookEveryMs: number;
  /** Shards are shared out anew when nobody has joined or left for this long, milliseconds. */
  readonly rebalanceAfterMs: number;
  /** Where there are any. */
  readonly mirrors?: Pick<ShardMirrors<never>, 'follow' | 'sees'> | undefined;
}

/** Of a gateway that died with many. */
const TAKEN_AT_ONCE = 8;
const HANDED_OVER_AT_ONCE = 4;
/** Gateways that are asked, one after another, to take a shard of one that stops. */
const MOST_HEIRS = 3;

/** Takes the shards that nobody has and that are this gateway's by assignment; hands over what is beyond its share, and all at its end. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;
  readonly #self: string;
  readonly #pool: GatewayPool;
  readonly #held: HeldShards;
  #shards: readonly Shard[];
  /** PBXs whose links are to be opened anew. */
  #changed: ReadonlySet<string> = new Set();
  #view: PoolView = { gateways: [], holders: new Map() };
  #takesNothingUntil = 0;
  #movesNothingUntil = 0;
  #moving: Promise<void> | undefined;
  #isStopping = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: ShardKeeperOptions) {
    const { redis, session, presenceOf } = options;
    this.#options = options;
    this.#self = session.instance;
    const ownersOf = (names: readonly string[]) => leaseOwners(redis, names);
    this.#pool = new GatewayPool({ self: this.#self, ownersOf, presenceOf });
    this.#shards = options.shards;
    this.#held = new HeldShards(options, {
      onWork: () => this.#wake.resolve(),
      isWanted: (shard) => this.#find(shard) !== undefined,
      heirOf: (shard) => this.#heirs().get(nameOf(shard)),
    });
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

  /** Told which gateways' sessions are alive, again and again. */
  onGateways(gateways: readonly string[]): void {
    this.#pool.onAlive(gateways);
  }

  /** Others would take our shards over, and see what happens on them. */
  get hasOthers(): boolean {
    return this.#view.gateways.length > 1;
  }

  held(): Generator<HeldShard> {
    return this.#held.all();
  }

  /** Why not every shard that should be served from here is; undefined when every one is. */
  whyNotReady(): string | undefined {
    const { gateways, holders } = this.#view;
    if (gateways.length === 0) return 'not assigned yet';
    const away = [...this.held()]
      .filter(({ connected }) => !connected)
      .map(nameOf)
      .filter((name) => !this.#held.isRetiring(name));
    const waiting = [...assign(this.#shards, holders, gateways)]
      .filter(([name, gateway]) => gateway === this.#self && !this.#held.has(name) && !this.#held.isElsewhere(name))
      .map(([name]) => name);
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
    this.#held.assertAll();
  }

  /** We were cut off, or stood still: others may have taken us for dead. */
  doubtAll(): void {
    this.#held.doubt();
  }

  /** Another gateway hands a shard over to this one. @throws when it can't be taken */
  async onHandOver({ step, pbx, shard: app }: HandOver): Promise<void> {
    const shard = this.#find({ pbx, shard: app });
    if (this.#isStopping) throw new Error('this gateway stops');
    if (!shard) throw new Error('it is not configured here');
    if (step === 'mirror') {
      if (!this.#options.mirrors?.sees(shard)) throw new Error('this gateway does not see it');
    } else if (step === 'connect') await this.#held.standBy(shard);
    else {
      // Whoever has let go of it may not reach its PBX: it is not given back at once.
      this.#movesNothingUntil = Date.now() + this.#options.rebalanceAfterMs;
      await this.#held.take(shard);
    }
  }

  /** Until `stopping`; then every shard is handed over, or given up when there is nobody. */
  async run(stopping: AbortSignal): Promise<void> {
    const { settleMs, lookEveryMs } = this.#options;
    stopping.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    await wait(settleMs, undefined, { signal: stopping }).catch(() => {});
    while (!stopping.aborted) {
      this.#wake = Promise.withResolvers();
      const looking = setTimeout(() => this.#wake.resolve(), lookEveryMs);
      await this.#held.assertDoubted();
      this.#held.retireUnwanted();
      await this.#openChanged();
      await this.#look();
      await this.#wake.promise;
      clearTimeout(looking);
    }
    this.#isStopping = true;
    await this.#leavePool();
    await this.#held.stop();
    await this.#moving;
    await inParallel(this.#held.names, HANDED_OVER_AT_ONCE, (name) => this.#leave(name));
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    const shards = this.#shards;
    if (!this.#pool.isKnown) return;
    try {
      this.#view = await this.#pool.look(shards);
    } catch (error) {
      log.warn({ err: error }, 'shard.holders-unknown');
      return;
    }
    if (Date.now() < this.#takesNothingUntil) return;
    const { gateways, holders } = this.#view;
    const assigned = assign(shards, holders, gateways);
    const ours = shards.filter((shard) => assigned.get(nameOf(shard)) === this.#self);
    await inParallel(ours, TAKEN_AT_ONCE, (shard) => this.#held.take(shard));
    this.#options.mirrors?.follow(shards, this.#heirs(), this.#self);
    this.#moving ??= this.#rebalance().finally(() => {
      this.#moving = undefined;
    });
  }

  /** One shard at a time. */
  async #rebalance(): Promise<void> {
    const { rebalanceAfterMs } = this.#options;
    const { gateways, holders } = this.#view;
    if (this.#pool.stableMs < rebalanceAfterMs || Date.now() < this.#movesNothingUntil) return;
    const move = nextMove(this.#shards, holders, gateways);
    if (move?.from !== this.#self || !this.#held.has(nameOf(move.shard))) return;
    if (!(await this.#held.handOver(nameOf(move.shard), move.to)))
      this.#movesNothingUntil = Date.now() + rebalanceAfterMs;
  }

  /** Nobody hands us a shard from then on. Who came last, perhaps in our place, is to be known first. */
  async #leavePool(): Promise<void> {
    const { session, log } = this.#options;
    try {
      await session.renew();
      await session.close();
      this.#view = await this.#pool.look(this.#shards);
    } catch (error) {
      log.warn({ err: error }, 'session.not-closed');
    }
  }

  #heirs(): ReadonlyMap<string, string> {
    return heirs(this.#shards, this.#view.holders, this.#view.gateways);
  }

  async #openChanged(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    await this.#held.reopen(changed);
  }

  #find({ pbx, shard }: Shard): Shard | undefined {
    return this.#shards.find((one) => one.pbx === pbx && one.shard === shard);
  }

  async #leave(name: string): Promise<void> {
    const { gateways, holders } = this.#view;
    let others = gateways.filter((gateway) => gateway !== this.#self);
    for (let asked = 0; asked < MOST_HEIRS; asked += 1) {
      const heir = assign(this.#shards, holders, others).get(name);
      if (heir === undefined) break;
      if (await this.#held.handOver(name, heir)) return;
      others = others.filter((other) => other !== heir);
    }
    await this.#held.giveUp(name);
  }
}

import type { HandOver } from '@callfleet/bus';
import {
  acquireLease,
  assertLease,
  type Lease,
  type LeaseRedis,
  type Presence,
  releaseLease,
  type Session,
} from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import type { HeldShard } from './metrics.ts';
import { nameOf, type Shard } from './shard-assignment.ts';
import { handOver, type LeavingLink } from './shard-handover.ts';
import { StandbyShards } from './standby-shards.ts';

export interface HeldShardsOptions {
  readonly redis: LeaseRedis;
  readonly session: Pick<Session, 'instance' | 'isAlive'>;
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

/** The shards whose leases this gateway has: how they come, are doubted, and go. */
export class HeldShards {
  readonly #options: HeldShardsOptions;
  readonly #held = new Map<string, Held>();
  readonly #standby: StandbyShards<Link>;
  /** It is to be asked in Redis whether we hold them still. */
  readonly #doubted = new Set<string>();
  /** Held by another gateway that lives, when they were asked for last. */
  readonly #elsewhere = new Set<string>();
  readonly #onDoubt: () => void;

  /** @param onDoubt there is something for `assertDoubted` */
  constructor(options: HeldShardsOptions, onDoubt: () => void) {
    this.#options = options;
    this.#onDoubt = onDoubt;
    this.#standby = new StandbyShards({ ...options.standby, open: (shard) => this.#open(shard), log: options.log });
  }

  get names(): string[] {
    return [...this.#held.keys()];
  }

  has(name: string): boolean {
    return this.#held.has(name);
  }

  isElsewhere(name: string): boolean {
    return this.#elsewhere.has(name);
  }

  *all(): Generator<HeldShard> {
    for (const { shard, link } of this.#held.values()) yield { ...shard, connected: link.connected, calls: link.calls };
  }

  /** Unless another gateway that lives has it. */
  async take(shard: Shard): Promise<void> {
    const { redis, session, presenceOf, log } = this.#options;
    const name = nameOf(shard);
    if (this.#held.has(name)) return;
    try {
      const lease = await acquireLease(redis, session, name, { presenceOf });
      // It may have come while Redis was asked, from the one who handed it over to us.
      if (this.#held.has(name)) return;
      if (lease.owner !== session.instance) {
        this.#elsewhere.add(name);
        return;
      }
      this.#elsewhere.delete(name);
      log.info({ ...shard, epoch: lease.epoch }, 'shard.taken');
      const link = this.#standby.take(name) ?? this.#open(shard);
      this.#held.set(name, { shard, lease, link, isLeaving: false });
      link.serve();
    } catch (error) {
      this.#elsewhere.delete(name);
      log.warn({ ...shard, err: error }, 'shard.lease-failed');
    }
  }

  /** Connects its socket, for when it is handed over to us. @throws when it can't */
  async standBy(shard: Shard): Promise<void> {
    if (this.#held.has(nameOf(shard))) throw new Error('this gateway has it');
    await this.#standby.connect(shard);
  }

  /** What was to be handed over to us stays where it is. */
  closeStandby(): Promise<void> {
    return this.#standby.close();
  }

  /** Redis may have lost that they are ours; nobody can have taken them. */
  assertAll(): void {
    this.#assertSoon(this.names);
  }

  /** They may be another's by now: no commands for them until Redis says that they are ours. */
  doubt(names: readonly string[] = this.names): void {
    const staying = names.filter((name) => this.#held.get(name)?.isLeaving === false);
    for (const name of staying) this.#held.get(name)?.link.suspend();
    this.#assertSoon(staying);
  }

  /** What fails stays in doubt. */
  async assertDoubted(): Promise<void> {
    const { redis, log } = this.#options;
    for (const name of this.#doubted)
      try {
        const held = this.#held.get(name);
        this.#doubted.delete(name);
        if (!held || held.isLeaving) continue;
        if (await assertLease(redis, held.lease)) this.#serve(name, held);
        else {
          log.error({ lease: name, epoch: held.lease.epoch }, 'shard.lost');
          await this.giveUp(name);
        }
      } catch (error) {
        this.#doubted.add(name);
        log.warn({ lease: name, err: error }, 'shard.assert-failed');
        return;
      }
  }

  /** @returns whether it is the other's now */
  async handOver(name: string, heir: string): Promise<boolean> {
    const held = this.#held.get(name);
    if (!held || held.isLeaving) return true;
    // Its PBX is away, for the heir too: there is nothing to be handed over.
    if (!held.link.connected) return false;
    held.isLeaving = true;
    const isOver = await handOver(this.#options, held, heir);
    held.isLeaving = false;
    if (isOver) {
      this.#held.delete(name);
      this.#elsewhere.add(name);
    } else this.#assertSoon([name]);
    return isOver;
  }

  async giveUp(name: string): Promise<void> {
    const { redis, log } = this.#options;
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (!held) return;
    await held.link.close();
    await releaseLease(redis, held.lease).catch((error: unknown) =>
      log.warn({ lease: name, err: error }, 'shard.lease-left'),
    );
  }

  #assertSoon(names: readonly string[]): void {
    for (const name of names) this.#doubted.add(name);
    this.#onDoubt();
  }

  /** Unless it came into doubt again while Redis was asked. */
  #serve(name: string, { link }: Held): void {
    if (!this.#doubted.has(name)) link.serve();
  }

  #open(shard: Shard): Link {
    return this.#options.open(shard, () => this.doubt([nameOf(shard)]));
  }
}

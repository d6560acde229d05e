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
import { nameOf, type Shard } from '../names/shard.ts';
import type { HeldShard } from '../telemetry/metrics.ts';
import { cede, handOver, type LeavingLink } from './shard-handover.ts';
import { StandbyShards } from './standby-shards.ts';

export interface HeldShardsOptions {
  readonly redis: LeaseRedis;
  readonly session: Pick<Session, 'instance' | 'isAlive'>;
  /** A standby's time to connect, and to get the lease; milliseconds. */
  readonly standby: { readonly connectWithinMs: number; readonly maxMs: number };
  readonly presenceOf: (gateway: string) => Promise<Presence>;
  /** @throws when that gateway could not, or does not answer */
  readonly ask: (gateway: string, handOver: HandOver) => Promise<void>;
  readonly open: (shard: Shard, told: LinkListeners) => Link;
  /** Calls on a shard that is none of ours any more may go on for so long, milliseconds. Default 0. */
  readonly drainMs?: number | undefined;
  readonly log: Logger;
}

/** What a link tells whoever holds it. */
export interface LinkListeners {
  /** Somebody else has the shard's application, and it was not handed over. */
  readonly onTaken: () => void;
  /** It has no socket. @returns whether the shard is another's now, so that it is not to be connected again */
  readonly onAway: () => Promise<boolean>;
}

export interface Link extends LeavingLink {
  readonly connected: boolean;
  readonly calls: number;
  standBy(withinMs: number): Promise<void>;
  serve(): void;
  suspend(): void;
  /** Carries out the commands it has, closes its socket, and publishes what it has read. */
  leave(): Promise<void>;
  /** Takes no new calls, and resolves when there are none left, or on `signal`. */
  drain(limitMs: number, signal: AbortSignal): Promise<void>;
}

interface Held {
  readonly shard: Shard;
  readonly lease: Lease;
  link: Link;
  isLeaving: boolean;
  /** Its link reaches the PBX in a way that is not in the configuration any more. */
  isOutdated: boolean;
  /** It is in the configuration no more: ends the wait for its calls. */
  retiring?: AbortController;
  retired?: Promise<void>;
}

export interface HeldShardsListeners {
  /** There is something for `assertDoubted`, or a shard may be taken again. */
  readonly onWork: () => void;
  /** It is in the configuration. */
  readonly isWanted: (shard: Shard) => boolean;
  /** Who would have it if this gateway died. */
  readonly heirOf: (shard: Shard) => string | undefined;
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
  readonly #asks: HeldShardsListeners;
  readonly #ceding = new Set<Promise<boolean>>();
  #isStopping = false;

  constructor(options: HeldShardsOptions, asks: HeldShardsListeners) {
    this.#options = options;
    this.#asks = asks;
    this.#standby = new StandbyShards({ ...options.standby, open: (shard) => this.#open(shard), log: options.log });
  }

  get names(): string[] {
    return [...this.#held.keys()];
  }

  has(name: string): boolean {
    return this.#held.has(name);
  }

  /** Its calls come to their ends, and then nobody has it. */
  isRetiring(name: string): boolean {
    return this.#held.get(name)?.retiring !== undefined;
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
      if (!this.#asks.isWanted(shard)) {
        await releaseLease(redis, lease);
        return;
      }
      log.info({ ...shard, epoch: lease.epoch }, 'shard.taken');
      const link = this.#standby.take(name) ?? this.#open(shard);
      this.#held.set(name, { shard, lease, link, isLeaving: false, isOutdated: false });
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

  /** What was to be handed over to us stays where it is; calls of removed PBXs are waited for no longer. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([this.#standby.close(), ...this.#ceding]);
  }

  /** Each that is wanted no more goes its own way: the calls of one must not keep the others waiting. */
  retireUnwanted(): void {
    for (const [name, held] of this.#held)
      if (this.#asks.isWanted(held.shard)) held.retiring?.abort();
      else if (!held.retiring && !held.isLeaving) {
        held.retiring = new AbortController();
        held.retired = this.#retire(name, held, held.retiring.signal);
      }
  }

  /**
   * To be called again and again: what is just being handed over may stay here, and is opened anew then.
   *
   * @param pbxs are reached in another way now: their links are closed, and opened anew
   */
  async reopen(pbxs: ReadonlySet<string>): Promise<void> {
    for (const held of this.#held.values()) if (pbxs.has(held.shard.pbx)) held.isOutdated = true;
    const reopened = [...this.#held].filter(
      ([, { isOutdated, retiring, isLeaving }]) => isOutdated && !retiring && !isLeaving,
    );
    await Promise.all(
      reopened.map(async ([name, held]) => {
        held.isOutdated = false;
        try {
          await held.link.close();
          if (!this.#asks.isWanted(held.shard)) return;
          held.link = this.#open(held.shard);
          this.#serve(name, held);
        } catch (error) {
          this.#options.log.error({ ...held.shard, err: error }, 'shard.not-opened-anew');
        }
      }),
    );
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
    // Nobody else has its PBX in the configuration, or is to have it.
    if (held.retiring) return false;
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

  /** Its socket is lost, and its heir may have seen what we have missed. @returns whether it is the heir's now */
  async #cede(name: string): Promise<boolean> {
    const held = this.#held.get(name);
    if (!held || held.isLeaving || held.retiring || this.#isStopping) return false;
    const heir = this.#asks.heirOf(held.shard);
    if (heir === undefined) return false;
    held.isLeaving = true;
    const ceding = cede(this.#options, held, heir);
    this.#ceding.add(ceding);
    const isOver = await ceding;
    this.#ceding.delete(ceding);
    held.isLeaving = false;
    if (!isOver) {
      this.#assertSoon([name]);
      return false;
    }
    this.#held.delete(name);
    this.#elsewhere.add(name);
    // It waits for this answer.
    void held.link
      .close()
      .catch((error: unknown) => this.#options.log.warn({ ...held.shard, err: error }, 'shard.not-closed'));
    return true;
  }

  async giveUp(name: string): Promise<void> {
    const { redis, log } = this.#options;
    const held = this.#held.get(name);
    if (held?.retiring) {
      held.retiring.abort();
      return held.retired;
    }
    this.#held.delete(name);
    if (!held) return;
    await held.link.close();
    await releaseLease(redis, held.lease).catch((error: unknown) =>
      log.warn({ lease: name, err: error }, 'shard.lease-left'),
    );
  }

  async #retire(name: string, held: Held, signal: AbortSignal): Promise<void> {
    const { drainMs = 0, redis, log } = this.#options;
    log.info({ ...held.shard, calls: held.link.calls }, 'shard.draining');
    try {
      await held.link.drain(drainMs, signal);
      // No other gateway has this shard: its calls would be left in silence.
      if (this.#isStopping) await held.link.drain(0, new AbortController().signal);
      await held.link.close();
      await releaseLease(redis, held.lease);
      log.info({ ...held.shard }, 'shard.given-up');
    } catch (error) {
      log.warn({ lease: name, err: error }, 'shard.give-up-failed');
    }
    this.#held.delete(name);
    // It may be wanted again by now.
    this.#asks.onWork();
  }

  #assertSoon(names: readonly string[]): void {
    for (const name of names) this.#doubted.add(name);
    this.#asks.onWork();
  }

  /** Unless it came into doubt again while Redis was asked. */
  #serve(name: string, { link }: Held): void {
    if (!this.#doubted.has(name)) link.serve();
  }

  #open(shard: Shard): Link {
    const name = nameOf(shard);
    return this.#options.open(shard, { onTaken: () => this.doubt([name]), onAway: () => this.#cede(name) });
  }
}

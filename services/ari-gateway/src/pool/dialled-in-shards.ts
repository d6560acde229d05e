import { setTimeout as wait } from 'node:timers/promises';
import type { DialIn } from '@callfleet/ari';
import { acquireLease, assertLease, type Lease, releaseLease } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { aborted } from '../async/time-limit.ts';
import { nameOf, type Shard } from '../names/shard.ts';
import type { Arrival } from '../shard/shard-link.ts';
import type { HeldShard } from '../telemetry/metrics.ts';
import type { HeldShardsOptions, Link, LinkListeners } from './held-shards.ts';

export interface DialledInShardsOptions extends Pick<HeldShardsOptions, 'redis' | 'session' | 'presenceOf' | 'log'> {
  readonly shardAt: (path: string) => Shard | undefined;
  readonly open: (shard: Shard, told: LinkListeners, arrival: Arrival) => Link;
  /** A socket's time until it can be served, and then the one before it to let go of the shard; milliseconds. */
  readonly connectWithinMs: number;
  readonly leaseWithinMs: number;
  /** Calls on a shard that is none of ours any more may go on for so long, milliseconds. */
  readonly drainMs: number;
}

interface Held {
  readonly shard: Shard;
  readonly link: Link;
  readonly ended: AbortSignal;
  lease?: Lease;
  isDraining: boolean;
}

const LOOK_EVERY_MS = 100;

/**
 * The shards whose PBXs dial us. Such a shard is served where its socket arrives: the lease is taken with the socket, from whoever had
 * the socket before, and given up when the socket is gone. Until it is ours, no command is taken and no event published.
 */
export class DialledInShards {
  readonly #options: DialledInShardsOptions;
  readonly #log: Logger;
  /** By name; a second one of a name waits until the first is gone. */
  readonly #held = new Map<string, Held>();
  readonly #serving = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: DialledInShardsOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  *all(): Generator<HeldShard> {
    for (const { shard, link } of this.#held.values()) yield { ...shard, connected: link.connected, calls: link.calls };
  }

  /** One after another of each shard: an Asterisk dials again when its socket is gone, though we may not know it yet. */
  onDialIn(dialIn: DialIn): void {
    const shard = this.#options.shardAt(dialIn.path);
    if (!shard || this.#stopping.signal.aborted) {
      dialIn.refuse();
      return;
    }
    const name = nameOf(shard);
    const before = this.#held.get(name)?.link.leave();
    const serving = Promise.allSettled([before, this.#serving.get(name)])
      .then(() => this.#serve(shard, dialIn))
      .catch((error: unknown) => this.#log.error({ ...shard, err: error }, 'shard.not-served'))
      .finally(() => {
        if (this.#serving.get(name) === serving) this.#serving.delete(name);
      });
    this.#serving.set(name, serving);
  }

  /** They may be another's by now: no commands for them until Redis says that they are ours. */
  doubtAll(): void {
    for (const held of this.#held.values()) void this.#doubt(held);
  }

  /** @param changed PBXs that are to dial again, since their configuration is another */
  setShards(isWanted: (shard: Shard) => boolean, changed: ReadonlySet<string>): void {
    for (const held of this.#held.values())
      if (!isWanted(held.shard)) void this.#drain(held);
      else if (changed.has(held.shard.pbx)) void held.link.leave();
  }

  /** To be called when nobody can dial in any more. Resolves when every PBX has been told to dial somebody else. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#held.values()].map(({ link }) => link.leave()));
    await Promise.all(this.#serving.values());
  }

  async #serve(shard: Shard, dialIn: DialIn): Promise<void> {
    const name = nameOf(shard);
    if (this.#stopping.signal.aborted) return dialIn.refuse();
    const ended = new AbortController();
    const onTaken = () => {
      this.#log.error(shard, 'shard.taken-by-stranger');
      // It dials again, and has its application back.
      void link.leave();
    };
    // Its socket is all there is of it.
    const onAway = async () => false;
    const link = this.#options.open(shard, { onTaken, onAway }, { dialIn, onEnded: () => ended.abort() });
    const held: Held = { shard, link, ended: ended.signal, isDraining: false };
    this.#held.set(name, held);
    try {
      await link.standBy(this.#options.connectWithinMs);
      await this.#takeLease(held);
      link.serve();
      await aborted(ended.signal);
    } catch (error) {
      this.#log.warn({ ...shard, err: error }, 'shard.dial-in-not-served');
    } finally {
      await link.leave();
      this.#held.delete(name);
      await this.#giveUp(held);
    }
  }

  /** @throws when who had the socket before does not let go of it in time */
  async #takeLease(held: Held): Promise<void> {
    const { redis, session, presenceOf, leaseWithinMs } = this.#options;
    const until = performance.now() + leaseWithinMs;
    while (!held.ended.aborted && !this.#stopping.signal.aborted) {
      const lease = await acquireLease(redis, session, nameOf(held.shard), { presenceOf });
      if (lease.owner === session.instance) {
        held.lease = lease;
        this.#log.info({ ...held.shard, epoch: lease.epoch }, 'shard.taken');
        return;
      }
      if (performance.now() > until) throw new Error(`${lease.owner} has its lease still`);
      await wait(LOOK_EVERY_MS);
    }
    throw new Error('its socket is gone');
  }

  async #giveUp({ shard, lease }: Held): Promise<void> {
    if (!lease) return;
    await releaseLease(this.#options.redis, lease).catch((error: unknown) =>
      this.#log.warn({ ...shard, err: error }, 'shard.lease-left'),
    );
  }

  async #doubt({ shard, link, lease, ended }: Held): Promise<void> {
    if (!lease) return;
    link.suspend();
    while (!ended.aborted)
      try {
        if (await assertLease(this.#options.redis, lease)) link.serve();
        else {
          this.#log.error({ ...shard, epoch: lease.epoch }, 'shard.lost');
          await link.leave();
        }
        return;
      } catch (error) {
        this.#log.warn({ ...shard, err: error }, 'shard.assert-failed');
        await wait(LOOK_EVERY_MS);
      }
  }

  async #drain(held: Held): Promise<void> {
    if (held.isDraining) return;
    held.isDraining = true;
    this.#log.info({ ...held.shard, calls: held.link.calls }, 'shard.draining');
    await held.link.drain(this.#options.drainMs, this.#stopping.signal);
    await held.link.leave();
  }
}

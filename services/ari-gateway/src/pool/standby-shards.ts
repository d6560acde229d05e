import type { Logger } from '@callfleet/telemetry';
import { nameOf, type Shard } from '../names/shard.ts';

interface StandbyLink {
  /** Resolves when its socket stands. @throws after `withinMs` */
  standBy(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface StandbyOptions<Link> {
  readonly open: (shard: Shard) => Link;
  readonly connectWithinMs: number;
  /** Given up when the lease has not come by then. */
  readonly maxMs: number;
  readonly log: Logger;
}

/** Shards that are being handed over to this gateway: connected, and not served yet. */
export class StandbyShards<Link extends StandbyLink> {
  readonly #options: StandbyOptions<Link>;
  readonly #waiting = new Map<string, { readonly link: Link; readonly timer: NodeJS.Timeout }>();

  constructor(options: StandbyOptions<Link>) {
    this.#options = options;
  }

  /** Resolves when its socket stands. @throws when it can't */
  async connect(shard: Shard): Promise<void> {
    const { open, connectWithinMs, maxMs, log } = this.#options;
    const name = nameOf(shard);
    await this.giveUp(name);
    const link = open(shard);
    const timer = setTimeout(() => {
      log.warn(shard, 'shard.standby-ended');
      void this.giveUp(name);
    }, maxMs);
    this.#waiting.set(name, { link, timer });
    try {
      await link.standBy(connectWithinMs);
    } catch (error) {
      await this.giveUp(name);
      throw error;
    }
  }

  /** The lease has come. */
  take(name: string): Link | undefined {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    clearTimeout(waiting?.timer);
    return waiting?.link;
  }

  async giveUp(name: string): Promise<void> {
    await this.take(name)?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((name) => this.giveUp(name)));
  }
}

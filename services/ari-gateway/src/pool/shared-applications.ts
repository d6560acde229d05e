import { once } from 'node:events';
import { nameOf, type Shard } from '../names/shard.ts';
import type { LinkListeners } from './held-shards.ts';

/**
 * The applications of a PBX, for tests of gateways that share them: each has one socket, the newest. Notes what must never be: two
 * that carry out commands of one shard, and a shard whose events nobody gets.
 */
export class SharedApplications {
  readonly #sockets = new Map<string, SharedLink>();
  readonly #taking = new Map<string, SharedLink>();
  readonly mishaps: string[] = [];
  /** So many times an application changed from one live socket to another. */
  handOvers = 0;
  /** What became of links, in order: `open one`, `drain one`, `send back one`, `close one`. */
  readonly history: string[] = [];
  readonly #callsOver = Promise.withResolvers<void>();

  /** Ends the calls on shards that drain. */
  endCalls(): void {
    this.#callsOver.resolve();
  }

  get callsOver(): Promise<void> {
    return this.#callsOver.promise;
  }

  connect(link: SharedLink): void {
    const old = this.#sockets.get(link.name);
    this.#sockets.set(link.name, link);
    if (old && old !== link) {
      this.handOvers += 1;
      old.onReplaced();
    }
  }

  disconnect(link: SharedLink, isExpected: boolean): void {
    if (this.#sockets.get(link.name) !== link) return;
    this.#sockets.delete(link.name);
    if (!isExpected) this.mishaps.push(`nobody has ${link.name}`);
  }

  take(link: SharedLink): void {
    const other = this.#taking.get(link.name);
    if (other && other !== link) this.mishaps.push(`two take commands of ${link.name}`);
    this.#taking.set(link.name, link);
  }

  leave(link: SharedLink): void {
    if (this.#taking.get(link.name) === link) this.#taking.delete(link.name);
  }

  has(link: SharedLink): boolean {
    return this.#sockets.get(link.name) === link;
  }
}

/** A gateway's way to one of them. */
export class SharedLink {
  readonly name: string;
  readonly calls = 0;
  readonly #applications: SharedApplications;
  readonly #shard: string;
  readonly #told: LinkListeners;
  readonly #replaced = Promise.withResolvers<void>();
  #isLeaving = false;
  #hasBegun = false;

  constructor(applications: SharedApplications, shard: Shard, told: LinkListeners) {
    this.name = nameOf(shard);
    this.#shard = shard.shard;
    applications.history.push(`open ${shard.shard}`);
    this.#applications = applications;
    this.#told = told;
  }

  get connected(): boolean {
    return this.#applications.has(this);
  }

  async standBy(): Promise<void> {
    this.#applications.connect(this);
  }

  serve(): void {
    this.#hasBegun = true;
    if (!this.connected) this.#applications.connect(this);
    this.#applications.take(this);
  }

  suspend(): void {
    this.#applications.leave(this);
  }

  async release(connectHeir: () => Promise<void>): Promise<void> {
    this.#isLeaving = true;
    await connectHeir().finally(() => {
      this.#isLeaving = false;
    });
    await this.#replaced.promise;
    this.suspend();
  }

  /** Its socket breaks: it connects again, unless another is to have the shard. */
  async lose(): Promise<void> {
    this.#applications.disconnect(this, true);
    if (!(await this.#told.onAway())) this.#applications.connect(this);
  }

  async abandon(): Promise<void> {
    this.suspend();
  }

  async drain(limitMs: number, signal: AbortSignal): Promise<void> {
    const { history, callsOver } = this.#applications;
    history.push(`${limitMs > 0 ? 'drain' : 'send back'} ${this.#shard}`);
    if (limitMs > 0) await Promise.race([callsOver, once(signal, 'abort')]);
  }

  /** @param isExpected nobody is there to have it after us */
  async close(isExpected = false): Promise<void> {
    this.#applications.history.push(`close ${this.#shard}`);
    this.suspend();
    this.#applications.disconnect(this, isExpected);
  }

  leave(): Promise<void> {
    return this.close();
  }

  onReplaced(): void {
    this.#replaced.resolve();
    if (this.#isLeaving || !this.#hasBegun) return;
    this.suspend();
    this.#told.onTaken();
  }
}

import { nameOf, type Shard } from '../names/shard.ts';

interface Mirror {
  readonly connected: boolean;
  readonly length: number;
  /** Another gateway has its application. */
  readonly isReplaced: boolean;
  close(): Promise<void>;
}

export interface ShardMirrorsOptions<M> {
  /** @returns undefined for what is not configured */
  readonly open: (shard: Shard) => M | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

interface Kept<M> {
  readonly shard: Shard;
  readonly mirror: M;
  /** Another is to have it. */
  unwantedSince: number | undefined;
}

/** Whoever has just taken the shard, or was its heir before, needs its mirror for so long; milliseconds. */
const SETTLE_MS = 1000;
/** Another that is to have it has it by then, milliseconds. */
const LINGER_MS = 5000;

/** The mirrors that this gateway keeps: of shards that it is the next to have. */
export class ShardMirrors<M extends Mirror> {
  readonly #options: ShardMirrorsOptions<M>;
  readonly #mirrors = new Map<string, Kept<M>>();
  /** Since when we are the heir, of what is not mirrored yet. */
  readonly #wantedSince = new Map<string, number>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: ShardMirrorsOptions<M>) {
    this.#options = options;
  }

  *all(): Generator<Shard & { readonly connected: boolean; readonly length: number }> {
    for (const { shard, mirror } of this.#mirrors.values())
      yield { ...shard, connected: mirror.connected, length: mirror.length };
  }

  /** Whether it sees what happens on the shard. */
  sees(shard: Shard): boolean {
    const mirror = this.#mirrors.get(nameOf(shard))?.mirror;
    return mirror?.connected === true && !mirror.isReplaced;
  }

  /**
   * Opens and closes mirrors, so that they are those of the shards whose heir is `self`. One whose shard has no heir stays: its holder
   * has just died, and somebody is about to take it. Asked again and again.
   *
   * @param shards all that are configured
   */
  follow(shards: readonly Shard[], heirs: ReadonlyMap<string, string>, self: string): void {
    if (this.#isClosed) return;
    const now = this.#options.now();
    const configured = new Set(shards.map(nameOf));
    for (const [name, kept] of this.#mirrors) {
      kept.unwantedSince = (heirs.get(name) ?? self) === self ? undefined : (kept.unwantedSince ?? now);
      const isOver = kept.mirror.isReplaced || now - (kept.unwantedSince ?? now) > LINGER_MS;
      if (isOver || !configured.has(name)) this.#close(name);
    }
    for (const name of this.#wantedSince.keys()) if (heirs.get(name) !== self) this.#wantedSince.delete(name);
    for (const shard of shards) {
      const name = nameOf(shard);
      if (heirs.get(name) === self && !this.#mirrors.has(name)) this.#openSoon(name, shard, now);
    }
  }

  /** The shard is ours: its link has the mirror from then on, and closes it. */
  take(shard: Shard): M | undefined {
    const name = nameOf(shard);
    const found = this.#mirrors.get(name);
    this.#mirrors.delete(name);
    return found?.mirror;
  }

  /** @param pbxs are reached in another way now */
  closeOf(pbxs: ReadonlySet<string>): void {
    for (const [name, { shard }] of this.#mirrors) if (pbxs.has(shard.pbx)) this.#close(name);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const name of [...this.#mirrors.keys()]) this.#close(name);
    await Promise.all(this.#closing);
  }

  #openSoon(name: string, shard: Shard, now: number): void {
    const since = this.#wantedSince.get(name) ?? now;
    this.#wantedSince.set(name, since);
    if (now - since < SETTLE_MS) return;
    this.#wantedSince.delete(name);
    const mirror = this.#options.open(shard);
    if (mirror) this.#mirrors.set(name, { shard, mirror, unwantedSince: undefined });
  }

  #close(name: string): void {
    const found = this.#mirrors.get(name);
    this.#mirrors.delete(name);
    if (!found) return;
    const closing = found.mirror.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

import { nameOf, type Shard } from './shard-assignment.ts';

interface Mirror {
  readonly connected: boolean;
  readonly length: number;
  close(): Promise<void>;
}

export interface ShardMirrorsOptions<M> {
  /** @returns undefined for what is not configured */
  readonly open: (shard: Shard) => M | undefined;
}

/** The mirrors that this gateway keeps: of shards that it is the next to have. */
export class ShardMirrors<M extends Mirror> {
  readonly #options: ShardMirrorsOptions<M>;
  readonly #mirrors = new Map<string, { readonly shard: Shard; readonly mirror: M }>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: ShardMirrorsOptions<M>) {
    this.#options = options;
  }

  *all(): Generator<Shard & { readonly connected: boolean; readonly length: number }> {
    for (const { shard, mirror } of this.#mirrors.values())
      yield { ...shard, connected: mirror.connected, length: mirror.length };
  }

  /**
   * Opens and closes mirrors, so that they are those of the shards whose heir is `self`. One whose shard has no heir stays: its holder
   * has just died, and somebody is about to take it.
   *
   * @param shards all that are configured
   */
  follow(shards: readonly Shard[], heirs: ReadonlyMap<string, string>, self: string): void {
    if (this.#isClosed) return;
    const configured = new Set(shards.map(nameOf));
    for (const name of this.#mirrors.keys())
      if (!configured.has(name) || (heirs.get(name) ?? self) !== self) this.#close(name);
    for (const shard of shards) {
      const name = nameOf(shard);
      if (heirs.get(name) !== self || this.#mirrors.has(name)) continue;
      const mirror = this.#options.open(shard);
      if (mirror) this.#mirrors.set(name, { shard, mirror });
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

  #close(name: string): void {
    const found = this.#mirrors.get(name);
    this.#mirrors.delete(name);
    if (!found) return;
    const closing = found.mirror.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

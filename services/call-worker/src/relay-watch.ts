/** What is known of a relay: see `presenceOn`. */
type Presence = 'there' | 'silent' | 'gone';

export interface RelayWatchOptions {
  /** Asked again and again about each relay that has a session. */
  readonly presence: (relay: string) => Promise<Presence>;
  readonly now: () => number;
  /** Default 250 ms. */
  readonly everyMs?: number;
}

/** A relay that is connected and does not answer for so long hangs: its callers hear nothing. Milliseconds. */
const HANGS_AFTER_MS = 3000;

/** Notices relays that died, or hang: O(relays) questions, however many sessions they have. */
export class RelayWatch {
  readonly #options: RelayWatchOptions;
  readonly #relays = new Map<string, Set<() => void>>();
  readonly #silentSince = new Map<string, number>();
  readonly #asking = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RelayWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#askAll(), options.everyMs ?? 250);
  }

  /** @param onLost told once @returns stops */
  watch(relay: string, onLost: () => void): () => void {
    const watchers = this.#relays.get(relay) ?? new Set();
    this.#relays.set(relay, watchers.add(onLost));
    return () => watchers.delete(onLost);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #askAll(): void {
    for (const [relay, watchers] of this.#relays) {
      if (watchers.size === 0) this.#forget(relay);
      else if (!this.#asking.has(relay)) void this.#ask(relay, watchers);
    }
  }

  async #ask(relay: string, watchers: Set<() => void>): Promise<void> {
    this.#asking.add(relay);
    const presence = await this.#options.presence(relay).catch(() => 'silent' as const);
    this.#asking.delete(relay);
    if (!this.#isLost(relay, presence)) return;
    this.#forget(relay);
    for (const onLost of watchers) onLost();
  }

  #isLost(relay: string, presence: Presence): boolean {
    if (presence === 'there') this.#silentSince.delete(relay);
    if (presence !== 'silent') return presence === 'gone';
    const since = this.#silentSince.get(relay) ?? this.#options.now();
    this.#silentSince.set(relay, since);
    return this.#options.now() - since >= HANGS_AFTER_MS;
  }

  #forget(relay: string): void {
    this.#relays.delete(relay);
    this.#silentSince.delete(relay);
  }
}

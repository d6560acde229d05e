import type { IncomingEvent } from '../events/channel-index.ts';

/** About 25 MB. Beyond it the oldest are dropped, although they are not too old. */
const MOST_KEPT = 20_000;

/** The last moments of what was seen of a shard, in order. */
export class MirroredEvents {
  readonly #keepMs: number;
  readonly #now: () => number;
  #events: { readonly at: number; readonly event: IncomingEvent }[] = [];
  /** Those before it are dropped: they leave the list many at a time. */
  #first = 0;

  /** @param now milliseconds on a clock that never goes back */
  constructor(keepMs: number, now: () => number) {
    this.#keepMs = keepMs;
    this.#now = now;
  }

  get length(): number {
    this.#drop();
    return this.#events.length - this.#first;
  }

  take(event: IncomingEvent): void {
    this.#events.push({ at: this.#now(), event });
    this.#drop();
  }

  peek(): IncomingEvent[] {
    this.#drop();
    return this.#events.slice(this.#first).map(({ event }) => event);
  }

  #drop(): void {
    const oldest = this.#now() - this.#keepMs;
    this.#first = Math.max(this.#first, this.#events.length - MOST_KEPT);
    while ((this.#events[this.#first]?.at ?? oldest) < oldest) this.#first += 1;
    if (this.#first * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#first);
    this.#first = 0;
  }
}

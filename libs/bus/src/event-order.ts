import type { CallEvent } from './call-event.ts';

interface Source {
  /** The highest number told. */
  told: number;
  /** What came before its turn, by number. */
  readonly early: Map<number, CallEvent>;
}

/**
 * Tells the events of a call in the order in which each source numbered them. On the bus they may pass each other: one that
 * JetStream did not take at first is published again, behind those that it took.
 */
export class EventOrder {
  readonly #tell: (event: CallEvent) => void;
  readonly #sources = new Map<string, Source>();

  constructor(tell: (event: CallEvent) => void) {
    this.#tell = tell;
  }

  /** Whether nothing from its source is missing before it. */
  isDue({ source, seq }: CallEvent): boolean {
    return seq <= (this.#sources.get(source)?.told ?? 0) + 1;
  }

  /** Whether any wait for one that is missing. */
  get isWaiting(): boolean {
    for (const { early } of this.#sources.values()) if (early.size > 0) return true;
    return false;
  }

  /** Told when its turn comes. Each is to be taken once. */
  take(event: CallEvent): void {
    const source = this.#sources.get(event.source) ?? { told: 0, early: new Map<number, CallEvent>() };
    this.#sources.set(event.source, source);
    if (!this.isDue(event)) {
      source.early.set(event.seq, event);
      return;
    }
    this.#tellNow(source, event);
    for (let next = nextOf(source); next; next = nextOf(source)) this.#tellNow(source, next);
  }

  /** What is missing does not come any more. */
  giveUpWaiting(): void {
    for (const source of this.#sources.values()) {
      const rest = [...source.early.values()].toSorted((a, b) => a.seq - b.seq);
      for (const event of rest) this.#tellNow(source, event);
    }
  }

  #tellNow(source: Source, event: CallEvent): void {
    source.early.delete(event.seq);
    source.told = Math.max(source.told, event.seq);
    this.#tell(event);
  }
}

const nextOf = ({ told, early }: Source) => early.get(told + 1);

import { setTimeout as wait } from 'node:timers/promises';
import type { IncomingEvent } from '../events/channel-index.ts';
import { eventKey } from '../events/event-id.ts';
import type { HeldEvents } from '../events/held-events.ts';

/** A shard's mirror, as far as taking its shard over goes. */
export interface TakenMirror {
  peek(): IncomingEvent[];
  listen(onEvent: (event: IncomingEvent) => void): void;
  close(): Promise<void>;
}

/** Asterisk may have told one socket what it is about to tell the other. */
const TRAILING_MS = 50;
/** For so long it may be later on one than on the other. */
const OVERLAP_MS = 1000;

/**
 * What a gateway sees of a shard that it has just taken from a dead one, on two sockets: its mirror's, which goes far back, and the shard's
 * own, whose events are held. Each event is told once, in its order.
 */
export class TwoSightings {
  readonly #mirror: TakenMirror;
  readonly #held: HeldEvents;
  readonly #handle: (event: IncomingEvent) => void;
  /** Undefined before events are let through, and after the overlap. */
  #told: Set<string> | undefined;
  #counted = 0;

  /** @param handle takes what comes from the mirror */
  constructor(mirror: TakenMirror, held: HeldEvents, handle: (event: IncomingEvent) => void) {
    this.#mirror = mirror;
    this.#held = held;
    this.#handle = handle;
  }

  /** All so far, each once. The shard's own socket must be told of all its channels by now. */
  async seen(): Promise<IncomingEvent[]> {
    await wait(TRAILING_MS);
    const own = this.#held.peek();
    this.#counted = own.length;
    return merge(own, this.#mirror.peek());
  }

  /** Whether it has been told already; asked of each event that comes on the shard's own socket. */
  isRepeat(event: IncomingEvent): boolean {
    if (!this.#told) return false;
    const key = eventKey(event);
    if (this.#told.has(key)) return true;
    this.#told.add(key);
    return false;
  }

  /** What {@link seen} gave has been told. What comes now is told as soon as one of the two has it. */
  letThrough(told: readonly IncomingEvent[]): void {
    this.#told = new Set(told.map((event) => eventKey(event)));
    const take = (event: IncomingEvent) => {
      if (!this.isRepeat(event)) this.#handle(event);
    };
    const late = this.#mirror.peek();
    this.#mirror.listen(take);
    this.#held.letThrough(this.#counted);
    for (const event of late) take(event);
    setTimeout(() => {
      this.#told = undefined;
      void this.#mirror.close();
    }, OVERLAP_MS);
  }
}

/** In the order of their times, and each of the two in its own order; the shard's own first, which alone has StasisStart and StasisEnd. */
export function merge(own: readonly IncomingEvent[], mirrored: readonly IncomingEvent[]): IncomingEvent[] {
  const merged = new Map<string, IncomingEvent>();
  let n = 0;
  let m = 0;
  while (n < own.length || m < mirrored.length) {
    const isOwn = m >= mirrored.length || (n < own.length && timeOf(own[n]) <= timeOf(mirrored[m]));
    const event = (isOwn ? own[n++] : mirrored[m++]) as IncomingEvent;
    const key = eventKey(event);
    if (!merged.has(key)) merged.set(key, event);
  }
  return [...merged.values()];
}

function timeOf(event: IncomingEvent | undefined): number {
  const { timestamp } = event as { timestamp?: unknown };
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(time) ? 0 : time;
}

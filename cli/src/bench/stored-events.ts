import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';

const POLL_MS = 20;
const ARRIVE_LIMIT_MS = 20_000;
/** Nothing more comes of what was done before when nothing has come for this long, milliseconds. */
const STILL_MS = 500;

/** How many call events have come into the stream since this was made. */
export class StoredEvents {
  count = 0;
  readonly #bus: Bus;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;

  private constructor(bus: Bus, before: number, onCount: (count: number) => void) {
    this.#bus = bus;
    this.#following = this.#follow(before, onCount);
  }

  /** Of what comes when the stream is still. @param onCount told again and again */
  static async follow(bus: Bus, onCount: (count: number) => void = () => {}): Promise<StoredEvents> {
    let last = await lastOf(bus);
    for (let before = -1; before !== last; last = await lastOf(bus)) {
      before = last;
      await wait(STILL_MS);
    }
    return new StoredEvents(bus, last, onCount);
  }

  /** Waits until so many are there, or no more can be expected. @returns how many there are */
  async until(events: number): Promise<number> {
    const limit = Date.now() + ARRIVE_LIMIT_MS;
    while (this.count < events && Date.now() < limit) await wait(POLL_MS);
    return this.count;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(before: number, onCount: (count: number) => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.count = (await lastOf(this.#bus)) - before;
      onCount(this.count);
      await wait(POLL_MS);
    }
  }
}

async function lastOf(bus: Bus): Promise<number> {
  return (await bus.jsm.streams.info('CALLS')).state.last_seq;
}

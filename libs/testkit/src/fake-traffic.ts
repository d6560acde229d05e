import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { asteriskTime, type FakeAsterisk } from './fake-asterisk.ts';
import { FakeCall } from './fake-call.ts';

export interface FakeTrafficOptions {
  readonly shards: readonly string[];
  /** Calls at once on each shard. */
  readonly calls: number;
  /** From the first event of a call to its last. */
  readonly eventsPerCall: number;
  /** Every so many events one is a {@link PROBE} of its own call, which says when it was sent. 0: none. */
  readonly probeEvery: number;
}

/** Either so many events a second, or as many as are taken: never more than `window` that were not acknowledged. */
export type TrafficPace =
  | { readonly eventsPerSecond: number; readonly ms: number }
  | { readonly window: number; readonly ms: number };

export interface TrafficReport {
  readonly events: number;
  readonly bytes: number;
  readonly ms: number;
  /** CPU of this process, milliseconds. */
  readonly cpuMs: number;
  /** How late the sender itself was at most: its own machine was busy. */
  readonly latestMs: number;
}

/** The user event of a probe; its `sentAt` is {@link monotonicMs}, just before the socket is written. */
export const PROBE = 'callfleet-probe';

const BATCH = 64;
const TICK_MS = 1;
/** What a socket's reader has not taken, bytes: it does not keep up. */
const MOST_UNSENT = 1024 * 1024;

/** Events of many calls on the shards of one fake Asterisk. */
export class FakeTraffic {
  readonly #fake: FakeAsterisk;
  readonly #options: FakeTrafficOptions;
  readonly #calls: FakeCall[][];
  #callCount = 0;
  #turn = 0;
  #events = 0;
  #bytes = 0;
  #acknowledged = 0;

  constructor(fake: FakeAsterisk, options: FakeTrafficOptions) {
    this.#fake = fake;
    this.#options = options;
    this.#calls = options.shards.map((shard) => Array.from({ length: options.calls }, () => this.#newCall(shard)));
  }

  /** Of all events that were sent since the beginning. */
  acknowledged(events: number): void {
    this.#acknowledged = events;
  }

  async run(pace: TrafficPace): Promise<TrafficReport> {
    const before = { events: this.#events, bytes: this.#bytes };
    const cpu = process.cpuUsage();
    const from = performance.now();
    const latestMs = 'window' in pace ? await this.#saturate(pace, from) : await this.#pace(pace, from);
    const { user, system } = process.cpuUsage(cpu);
    return {
      events: this.#events - before.events,
      bytes: this.#bytes - before.bytes,
      ms: performance.now() - from,
      cpuMs: (user + system) / 1000,
      latestMs,
    };
  }

  async #saturate({ window, ms }: { window: number; ms: number }, from: number): Promise<number> {
    while (performance.now() - from < ms) {
      const room = window - (this.#events - this.#acknowledged);
      const isTaken = this.#options.shards.every((shard) => this.#fake.unsent(shard) < MOST_UNSENT);
      if (room < BATCH || !isTaken) await wait(TICK_MS);
      else {
        this.#send(BATCH);
        await nextTurn();
      }
    }
    return 0;
  }

  async #pace({ eventsPerSecond, ms }: { eventsPerSecond: number; ms: number }, from: number): Promise<number> {
    const sentBefore = this.#events;
    let latestMs = 0;
    for (let now = 0, last = 0; now < ms; last = now, await wait(TICK_MS), now = performance.now() - from) {
      latestMs = Math.max(latestMs, now - last - TICK_MS);
      for (let due = (now * eventsPerSecond) / 1000 - (this.#events - sentBefore); due >= 1; due -= BATCH)
        this.#send(Math.min(BATCH, Math.floor(due)));
    }
    return latestMs;
  }

  /** To each shard in turn. */
  #send(count: number): void {
    const { shards, probeEvery } = this.#options;
    this.#turn += 1;
    const n = this.#turn % shards.length;
    const shard = shards[n] as string;
    const calls = this.#calls[n] as FakeCall[];
    const now = asteriskTime();
    const texts: string[] = [];
    for (let i = 0; i < count; i += 1) {
      this.#events += 1;
      const isProbe = probeEvery > 0 && this.#events % probeEvery === 0;
      const text = isProbe ? probe(this.#fake.name, shard, now, this.#events) : this.#nextOf(calls, shard, now);
      this.#bytes += text.length;
      texts.push(text);
    }
    this.#fake.send(shard, texts);
  }

  #nextOf(calls: FakeCall[], shard: string, now: string): string {
    const at = this.#events % calls.length;
    const call = calls[at] as FakeCall;
    const text = call.next(now);
    if (call.isOver) calls[at] = this.#newCall(shard);
    return text;
  }

  #newCall(shard: string): FakeCall {
    this.#callCount += 1;
    return new FakeCall(this.#fake.name, shard, this.#callCount, this.#options.eventsPerCall);
  }
}

/** Milliseconds on a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function probe(pbx: string, shard: string, timestamp: string, number: number): string {
  const channel = {
    id: `${pbx}-${PROBE}`,
    name: 'PJSIP/probe-00000000',
    state: 'Up',
    caller: { name: '', number: '' },
    connected: { name: '', number: '' },
    dialplan: { context: 'default', exten: '100', priority: 3, app_name: 'Stasis', app_data: shard },
    creationtime: timestamp,
    language: 'en',
  };
  const userevent = { eventname: PROBE, number, sentAt: monotonicMs() };
  const event = { type: 'ChannelUserevent', timestamp, eventname: PROBE, channel, userevent, application: shard };
  return JSON.stringify(event);
}

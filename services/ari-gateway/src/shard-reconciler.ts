import { setTimeout as wait } from 'node:timers/promises';
import {
  type AriRequest,
  type AriRequester,
  bridges,
  type Channel,
  channels,
  expectOk,
  playbacks,
  type StasisStart,
} from '@callfleet/ari';
import { type Bus, callHistory, type KeptCalls } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import type { CallOffers } from './call-offers.ts';
import type { ChannelIndex } from './channel-index.ts';
import { inParallel } from './in-parallel.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';
import { endOfPlayback, missedEvents, startOf, unknownCalls } from './missed-events.ts';
import { PbxSnapshot, type Strays } from './pbx-snapshot.ts';
import type { ShardEvents } from './shard-events.ts';
import { type ToldCall, toldCall } from './told-call.ts';
import type { WorkerWatch } from './worker-watch.ts';

export interface ShardReconcilerOptions {
  readonly bus: Bus;
  readonly kept: KeptCalls;
  /** For large answers. */
  readonly http: AriRequester;
  readonly pbx: string;
  readonly shard: string;
  readonly index: ChannelIndex;
  readonly calls: LiveCalls;
  readonly events: ShardEvents;
  readonly offers: CallOffers;
  readonly workers: WorkerWatch;
  /** With a call: also when the worker answers that it does not have it. */
  readonly isWorkerGone: (worker: string, call: CallId) => Promise<boolean>;
  readonly strayAfterMs: number;
  readonly log: Logger;
}

/** Questions to NATS or the PBX that wait for their answers at once. */
const AT_ONCE = 16;
const RETRY_AFTER_MS = 250;
const GONE = 404;

/**
 * What came to pass on a shard while nobody held its socket, or another gateway did: calls are learned with what was known
 * of them, what happened to them is told as far as the PBX shows it, and nobody is left waiting in silence.
 */
export class ShardReconciler {
  readonly #options: ShardReconcilerOptions;

  constructor(options: ShardReconcilerOptions) {
    this.#options = options;
  }

  /**
   * With a new socket, whose events come in meanwhile. While NATS is away it waits, until `over`.
   *
   * @throws AriError
   */
  async reconcile(over: AbortSignal): Promise<void> {
    const from = performance.now();
    const { index, calls, log } = this.#options;
    // What is on the bus first, the PBX second: what comes and goes between them has its own event.
    const found = await this.#despiteNats(over, async () => {
      const inherited = await this.#learnKept();
      return { inherited, told: await this.#readTold(calls.unended().map(({ id }) => id)) };
    });
    if (!found) return;
    const snapshot = await this.#takeSnapshot();
    const unknown = unknownCalls(
      snapshot,
      (id) => calls.find(id)?.knownOffer !== undefined,
      (id) => index.callOf(id),
    );
    const missed = await inParallel(found.told, AT_ONCE, (told) => this.#tellMissed(told, snapshot));
    for (const call of found.inherited) await this.#findWorker(call);
    const ids = unknown.map((channel) => snapshot.callIdOf(channel));
    const histories = await this.#despiteNats(over, () => this.#readTold(ids));
    for (const [n, told] of (histories ?? []).entries()) this.#learnUnknown(unknown[n] as Channel, told);
    const here = [...snapshot.channels].filter((channel) => snapshot.isInShard(channel));
    // An application that Asterisk made anew knows of none of its channels.
    await inParallel(here, AT_ONCE, ({ id }) => this.#options.events.follow(id));
    const facts = {
      known: found.told.length,
      inherited: found.inherited.length,
      unknown: unknown.length,
      missed: missed.reduce((sum, count) => sum + count, 0),
    };
    log.info({ ...facts, ms: Math.round(performance.now() - from) }, 'shard.reconciled');
    void this.#removeStrays(snapshot, over).catch((error: unknown) => log.warn({ err: error }, 'shard.strays-left'));
  }

  /**
   * Which channels there are, and of which calls: what is needed to understand events.
   *
   * @throws AriError
   */
  async learnChannels(): Promise<void> {
    await this.#takeSnapshot();
  }

  /** @returns calls that are new to this gateway */
  async #learnKept(): Promise<LiveCall[]> {
    const { kept, calls, offers, log } = this.#options;
    const inherited: LiveCall[] = [];
    const stored = await kept.read((error) => log.warn({ err: error }, 'shard.bad-kept-call'));
    for (const { kept: one, trace } of stored) {
      const call = calls.get(one.offer.call);
      if (call.knownOffer) continue;
      call.inherit(one, trace);
      if (call.worker !== one.worker) offers.keep(call);
      inherited.push(call);
    }
    return inherited;
  }

  #readTold(ids: readonly CallId[]): Promise<ToldCall[]> {
    const { bus } = this.#options;
    return inParallel(ids, AT_ONCE, async (id) => toldCall(id, await callHistory(bus, id)));
  }

  async #takeSnapshot(): Promise<PbxSnapshot> {
    const { http, index, pbx, shard } = this.#options;
    const before = index.channelIds;
    const [channelsThere, bridgesThere] = await Promise.all([
      http.request(channels.list()),
      http.request(bridges.list()),
    ]);
    const found = [expectOk(channelsThere), expectOk(bridgesThere)] as const;
    index.rebuild(...found, before);
    return new PbxSnapshot(pbx, shard, ...found);
  }

  /** @returns how much it was */
  async #tellMissed(told: ToldCall, snapshot: PbxSnapshot): Promise<number> {
    const { calls, index, events } = this.#options;
    const call = calls.get(told.id);
    // Its own end may have come since.
    if (call.endedAt !== undefined) return 0;
    const now = asteriskTime();
    call.progress = { ...told.progress, ...call.progress };
    if (told.progress.endedAt !== undefined) call.end();
    const missed = missedEvents(told, snapshot, (id) => index.callOf(id), now);
    for (const id of told.playbacks)
      if (await this.#isGone(playbacks.get({ playbackId: id }))) missed.push(endOfPlayback(id, now));
    for (const event of missed) events.handle(event);
    return missed.length;
  }

  async #findWorker(call: LiveCall): Promise<void> {
    const { workers, offers, isWorkerGone } = this.#options;
    const { worker, endedAt } = call;
    // It may have claimed the call since, or be done with it.
    if (worker === undefined) offers.offerAgain(call, 'gateway-gone');
    else if (endedAt !== undefined && (await isWorkerGone(worker, call.id))) offers.offerAgain(call, 'worker-gone');
    else workers.watch(worker, call);
  }

  /** Its StasisStart may have been told, by a gateway that died before it could keep the call. */
  #learnUnknown(channel: Channel, { id, start }: ToldCall): void {
    const { calls, offers, events, log } = this.#options;
    const call = calls.get(id);
    if (call.knownOffer || call.endedAt !== undefined) return;
    log.warn({ call: id, told: start !== undefined }, 'call.found');
    if (start) offers.offer(call, start as StasisStart, false);
    else events.handle(startOf(channel, asteriskTime()));
  }

  /** What is still there after a while, and its call is still not. */
  async #removeStrays(snapshot: PbxSnapshot, over: AbortSignal): Promise<void> {
    const { http, strayAfterMs, log } = this.#options;
    for (let seen = this.#straysIn(snapshot); countOf(seen) > 0; ) {
      await wait(strayAfterMs, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      const now = this.#straysIn(await this.#takeSnapshot());
      const strays = {
        channels: now.channels.filter((id) => seen.channels.includes(id)),
        bridges: now.bridges.filter((id) => seen.bridges.includes(id)),
      };
      await inParallel(strays.channels, AT_ONCE, (channelId) => http.request(channels.hangup({ channelId })));
      await inParallel(strays.bridges, AT_ONCE, (bridgeId) => http.request(bridges.destroy({ bridgeId })));
      if (countOf(strays) > 0) log.warn(strays, 'shard.strays-removed');
      seen = {
        channels: now.channels.filter((id) => !strays.channels.includes(id)),
        bridges: now.bridges.filter((id) => !strays.bridges.includes(id)),
      };
    }
  }

  #straysIn(snapshot: PbxSnapshot): Strays {
    const { calls } = this.#options;
    return snapshot.strays((id) => {
      const call = calls.find(id);
      return call?.knownOffer !== undefined && (call.endedAt === undefined || call.worker !== undefined);
    });
  }

  async #isGone(request: AriRequest<unknown>): Promise<boolean> {
    return (await this.#options.http.request(request)).status === GONE;
  }

  /** @returns undefined when it is over */
  async #despiteNats<T>(over: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    while (!over.aborted)
      try {
        return await work();
      } catch (error) {
        this.#options.log.warn({ err: error, againInMs: RETRY_AFTER_MS }, 'shard.history-unreadable');
        await wait(RETRY_AFTER_MS, undefined, { signal: over }).catch(() => {});
      }
    return undefined;
  }
}

function countOf({ channels: legs, bridges: rooms }: Strays): number {
  return legs.length + rooms.length;
}

/** Now, as Asterisk writes it. */
function asteriskTime(): string {
  return new Date().toISOString().replace('Z', '+0000');
}

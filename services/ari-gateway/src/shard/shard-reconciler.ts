import { setTimeout as wait } from 'node:timers/promises';
import {
  type AriRequester,
  bridges,
  type Channel,
  channels,
  expectOk,
  playbacks,
  type StasisStart,
} from '@callfleet/ari';
import { type Bus, type CallEvent, callHistory, type KeptCalls } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import { inParallel } from '../async/in-parallel.ts';
import type { CallOffers } from '../calls/call-offers.ts';
import type { LiveCall, LiveCalls } from '../calls/live-call.ts';
import type { WorkerWatch } from '../calls/worker-watch.ts';
import type { ChannelIndex } from '../events/channel-index.ts';
import { endOfPlayback, missedEvents, startOf, unknownCalls } from '../events/missed-events.ts';
import { PbxSnapshot } from '../events/pbx-snapshot.ts';
import { type ToldCall, toldCall } from '../events/told-call.ts';
import type { TwoSightings } from '../mirror/two-sightings.ts';
import { countReplayed } from '../telemetry/metrics.ts';
import { type CallHistory, MirrorReplay } from './mirror-replay.ts';
import type { ShardEvents } from './shard-events.ts';
import { removeStrays } from './stray-removal.ts';

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
   * @param sightings of a shard whose gateway has died: they are let through
   * @throws AriError
   */
  async reconcile(over: AbortSignal, sightings?: TwoSightings): Promise<void> {
    const from = performance.now();
    const { index, calls, events, http, strayAfterMs, log } = this.#options;
    // What is on the bus first, the PBX second: what comes and goes between them has its own event.
    const found = await this.#despiteNats(over, async () => {
      const inherited = await this.#learnKept();
      return { inherited, histories: await this.#readHistories(calls.unended().map(({ id }) => id)) };
    });
    if (!found) return;
    const replayed = sightings && (await this.#replay(sightings, found.histories, over));
    if (sightings && !replayed) return;
    const told = found.histories.map(({ call, events }) =>
      toldCall(call, [...events, ...(replayed ?? []).filter((one) => one.call === call)]),
    );
    const snapshot = await this.#takeSnapshot();
    const unknown = unknownCalls(
      snapshot,
      (id) => calls.find(id)?.knownOffer !== undefined,
      (id) => index.callOf(id),
    );
    const missed = await inParallel(told, AT_ONCE, (one) => this.#tellMissed(one, snapshot));
    for (const call of found.inherited) await this.#findWorker(call);
    const ids = unknown.map((channel) => snapshot.callIdOf(channel));
    const histories = await this.#despiteNats(over, () => this.#readHistories(ids));
    for (const [n, { call, events }] of (histories ?? []).entries())
      this.#learnUnknown(unknown[n] as Channel, toldCall(call, events));
    events.reconciled();
    await this.#followAll(snapshot);
    const facts = {
      known: told.length,
      inherited: found.inherited.length,
      unknown: unknown.length,
      missed: missed.reduce((sum, count) => sum + count, 0),
      ...(replayed && { replayed: replayed.length }),
    };
    log.info({ ...facts, ms: Math.round(performance.now() - from) }, 'shard.reconciled');
    const straysOf = (there: PbxSnapshot) => there.strays((id) => this.#isLive(id));
    const look = async () => straysOf(await this.#takeSnapshot());
    void removeStrays({ http, look, afterMs: strayAfterMs, log }, straysOf(snapshot), over);
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

  /** @returns what was told of it; undefined when it is over */
  async #replay(
    sightings: TwoSightings,
    histories: readonly CallHistory[],
    over: AbortSignal,
  ): Promise<CallEvent[] | undefined> {
    const { index, calls, events, pbx, shard } = this.#options;
    const snapshot = await this.#takeSnapshot();
    await this.#followAll(snapshot);
    const seen = await sightings.seen();
    const replay = new MirrorReplay({ index, calls, events }, seen);
    const known = new Set(histories.map(({ call }) => call));
    // Those that have ended, and those of which nothing was kept.
    const others = [...replay.calls].filter((id) => !known.has(id));
    const read = await this.#despiteNats(over, () => this.#readHistories(others));
    if (!read || over.aborted) return undefined;
    for (const { call: id, events: told } of histories) {
      const call = calls.get(id);
      call.progress = { ...toldCall(id, told).progress, ...call.progress };
    }
    const replayed = replay.tell([...histories, ...read]);
    sightings.letThrough(seen);
    countReplayed({ pbx, shard }, replayed.length);
    return replayed;
  }

  /** An application that Asterisk made anew knows of none of its channels. */
  async #followAll(snapshot: PbxSnapshot): Promise<void> {
    const here = [...snapshot.channels].filter((channel) => snapshot.isInShard(channel));
    await this.#options.events.follow(here.map(({ id }) => id));
  }

  #readHistories(ids: readonly CallId[]): Promise<CallHistory[]> {
    const { bus } = this.#options;
    return inParallel(ids, AT_ONCE, async (call) => ({ call, events: await callHistory(bus, call) }));
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
    if (call.endedAt !== undefined && told.progress.endedAt === undefined) return 0;
    const now = asteriskTime();
    call.progress = { ...told.progress, ...call.progress };
    if (told.progress.endedAt !== undefined) call.end();
    const gone = await this.#goneOf(told.playbacks);
    const since = toldCall(told.id, events.toldSinceConnected(told.id));
    const missed = missedEvents(told, since, snapshot, (id) => index.callOf(id), now);
    for (const id of gone) if (!since.ended.has(id)) missed.push(endOfPlayback(id, now));
    for (const event of missed) events.handle(event);
    return missed.length;
  }

  async #findWorker(call: LiveCall): Promise<void> {
    const { workers, offers, isWorkerGone } = this.#options;
    const { worker, endedAt } = call;
    // Told of its end a moment ago, it may be done with the call by now.
    const isGone = worker !== undefined && endedAt !== undefined && (await isWorkerGone(worker, call.id));
    if (call.isDone) return;
    // It may have claimed the call since.
    if (worker === undefined) offers.offerAgain(call, 'gateway-gone');
    else if (isGone) offers.offerAgain(call, 'worker-gone');
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

  #isLive(id: CallId): boolean {
    const call = this.#options.calls.find(id);
    return call?.knownOffer !== undefined && (call.endedAt === undefined || call.worker !== undefined);
  }

  /** Those of them that the PBX has no more. */
  async #goneOf(playbackIds: Iterable<string>): Promise<string[]> {
    const gone: string[] = [];
    for (const playbackId of playbackIds) {
      const { status } = await this.#options.http.request(playbacks.get({ playbackId }));
      if (status === GONE) gone.push(playbackId);
    }
    return gone;
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

/** Now, as Asterisk writes it. */
function asteriskTime(): string {
  return new Date().toISOString().replace('Z', '+0000');
}

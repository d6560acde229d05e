import { type AriRequester, applications, type ChannelDestroyed, isKnownEvent, type StasisStart } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { type CallId, ORIGINATED } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import { inBatches } from '../async/in-parallel.ts';
import { untilDone } from '../async/until-done.ts';
import type { CallOffers } from '../calls/call-offers.ts';
import type { EventPublisher } from '../calls/event-publisher.ts';
import type { LiveCall } from '../calls/live-call.ts';
import type { IncomingEvent } from '../events/channel-index.ts';
import { arrivalsIn, type MirrorSubscriptions, SUBSCRIBED_AT_ONCE } from '../mirror/mirror-subscriptions.ts';

export interface ShardEventsOptions {
  readonly shard: string;
  readonly ari: AriRequester;
  readonly publisher: EventPublisher;
  readonly offers: CallOffers;
  readonly mirror: Pick<MirrorSubscriptions, 'add'>;
  /** A channel of the call has ended, its caller's or another. */
  readonly onChannelEnded: (call: LiveCall, channelId: string) => void;
  readonly log: Logger;
}

/** More new types than an Asterisk will have: the rest is not told. */
const MOST_UNKNOWN_TYPES = 100;

/** Longer than an overloaded PBX leaves us without an answer; most channels are gone by then. Milliseconds. */
const FOLLOW_WITHIN_MS = 30_000;

/** What an event of a shard's socket sets going: its calls are found, it is published, and a new call is offered. */
export class ShardEvents {
  readonly #options: ShardEventsOptions;
  /** Of a newer Asterisk than our types know: passed on like all others, and told once each. */
  readonly #unknownTypes = new Set<string>();
  /** Of each call what was told since the shard's socket is there; undefined once the shard is reconciled. */
  #sinceConnected: Map<CallId, CallEvent[]> | undefined = new Map();

  constructor(options: ShardEventsOptions) {
    this.#options = options;
  }

  handle(event: IncomingEvent): void {
    const { publisher, log } = this.#options;
    if (!isKnownEvent(event)) this.#tellUnknown(event.type);
    const calls = publisher.callsOf(event);
    if (calls.length === 0) {
      log.debug({ type: event.type }, 'event.of-no-call');
      return;
    }
    this.attend(event);
    for (const { call, isCaller } of calls) this.tell(event, call, isCaller);
  }

  /** Has Asterisk tell more of what has come: to us, and to the mirror. */
  attend(event: IncomingEvent): void {
    if (event.type === 'StasisStart') void this.follow([(event as StasisStart).channel.id]);
    const arrivals = isSynthesized(event) ? [] : arrivalsIn(event);
    if (arrivals.length > 0) void this.#options.mirror.add(arrivals);
  }

  /** @param isCaller the event's channel is the call's caller */
  tell(event: IncomingEvent, call: LiveCall, isCaller: boolean): CallEvent {
    const { publisher, offers, onChannelEnded } = this.#options;
    // Who takes the caller's place goes on with the call that is there.
    const isNew = event.type === 'StasisStart' && (event as StasisStart).replace_channel === undefined;
    if (isCaller && isNew) {
      // What we place was offered before it was dialled.
      const isOffered = call.wasFound || (event as StasisStart).args[0] === ORIGINATED;
      if (!isOffered) offers.offer(call, event as StasisStart, !isSynthesized(event));
      call.wasFound = isSynthesized(event);
    }
    if (event.type === 'StasisEnd' || event.type === 'ChannelDestroyed') {
      if (isCaller) call.end();
      onChannelEnded(call, (event as ChannelDestroyed).channel.id);
    }
    const told = publisher.publish(call, event);
    this.#noteUntilReconciled(told);
    return told;
  }

  #noteUntilReconciled(told: CallEvent): void {
    const since = this.#sinceConnected;
    const ofCall = since?.get(told.call);
    if (ofCall) ofCall.push(told);
    else since?.set(told.call, [told]);
  }

  /** Until the shard is reconciled: what a history that was read meanwhile may not have. */
  toldSinceConnected(call: CallId): readonly CallEvent[] {
    return this.#sinceConnected?.get(call) ?? [];
  }

  reconciled(): void {
    this.#sinceConnected = undefined;
  }

  /** Its next socket is to be reconciled with. */
  disconnected(): void {
    this.#sinceConnected = new Map();
  }

  /** Without this an application's last word on a channel is StasisEnd; ChannelDestroyed tells why it ended. */
  async follow(channelIds: readonly string[]): Promise<void> {
    await Promise.all(inBatches(channelIds, SUBSCRIBED_AT_ONCE).map((ids) => this.#follow(ids)));
  }

  async #follow(channelIds: readonly string[]): Promise<void> {
    const { ari, shard, log } = this.#options;
    const eventSource = channelIds.map((id) => `channel:${id}`);
    const until = performance.now() + FOLLOW_WITHIN_MS;
    const answer = await untilDone(() => ari.request(applications.subscribe({ applicationName: shard, eventSource })), {
      isOver: () => performance.now() > until,
      onFailure: (error, againInMs) =>
        log.warn({ channels: channelIds, err: error, againInMs }, 'shard.subscribe-failed'),
    });
    // For one that is gone Asterisk refuses them all.
    if (answer?.ok === false && channelIds.length > 1) await Promise.all(channelIds.map((id) => this.#follow([id])));
  }

  #tellUnknown(type: string): void {
    if (this.#unknownTypes.has(type) || this.#unknownTypes.size >= MOST_UNKNOWN_TYPES) return;
    this.#unknownTypes.add(type);
    this.#options.log.warn({ type }, 'shard.unknown-event-type');
  }
}

function isSynthesized(event: IncomingEvent): boolean {
  return (event as { synthesized?: unknown }).synthesized === true;
}

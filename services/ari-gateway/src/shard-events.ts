import { type AriRequester, applications, isKnownEvent, type StasisStart } from '@callfleet/ari';
import type { Logger } from '@callfleet/telemetry';
import type { IncomingEvent } from './call-of-event.ts';
import type { CallOffers } from './call-offers.ts';
import type { EventPublisher } from './event-publisher.ts';

export interface ShardEventsOptions {
  readonly shard: string;
  readonly ari: AriRequester;
  readonly publisher: EventPublisher;
  readonly offers: CallOffers;
  readonly log: Logger;
}

/** What an event of a shard's socket sets going: its call is found, it is published, and a new call is offered. */
export class ShardEvents {
  readonly #options: ShardEventsOptions;
  /** Of a newer Asterisk than our types know: passed on like all others, and told once each. */
  readonly #unknownTypes = new Set<string>();

  constructor(options: ShardEventsOptions) {
    this.#options = options;
  }

  handle(event: IncomingEvent): void {
    const { publisher, offers, log } = this.#options;
    if (!isKnownEvent(event)) this.#tellUnknown(event.type);
    const call = publisher.callOf(event);
    if (!call) {
      log.debug({ type: event.type }, 'event.of-no-call');
      return;
    }
    const isOwn = 'channel' in event && (event.channel as { id?: string }).id === call.channelId;
    if (event.type === 'StasisStart') {
      if (isOwn) offers.offer(call, event as StasisStart);
      void this.#followToEnd(event as StasisStart);
    }
    if (isOwn && (event.type === 'StasisEnd' || event.type === 'ChannelDestroyed')) call.endedAt ??= Date.now();
    publisher.publish(call, event);
  }

  #tellUnknown(type: string): void {
    if (this.#unknownTypes.has(type)) return;
    this.#unknownTypes.add(type);
    this.#options.log.warn({ type }, 'shard.unknown-event-type');
  }

  /** Without this an application's last word on a channel is StasisEnd; ChannelDestroyed tells why it ended. */
  async #followToEnd({ channel }: StasisStart): Promise<void> {
    const { ari, shard, log } = this.#options;
    const eventSource = [`channel:${channel.id}`];
    try {
      await ari.request(applications.subscribe({ applicationName: shard, eventSource }));
    } catch (error) {
      log.warn({ channel: channel.id, err: error }, 'shard.subscribe-failed');
    }
  }
}

import { advance, type CallEvent, type EventOutbox, traceHeaders } from '@callfleet/bus';
import { callOfEvent, type IncomingEvent } from './call-of-event.ts';
import { eventId } from './event-id.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';

/** Gives each event its call, its number and its id, and hands it to the bus. */
export class EventPublisher {
  readonly #pbx: string;
  readonly #gateway: string;
  readonly #calls: LiveCalls;
  readonly #outbox: EventOutbox;

  constructor(pbx: string, gateway: string, calls: LiveCalls, outbox: EventOutbox) {
    this.#pbx = pbx;
    this.#gateway = gateway;
    this.#calls = calls;
    this.#outbox = outbox;
  }

  /** The call that the event is of; undefined when it is of none. */
  callOf(event: IncomingEvent): LiveCall | undefined {
    const call = callOfEvent(this.#pbx, event);
    return call === undefined ? undefined : this.#calls.get(call);
  }

  publish(call: LiveCall, event: IncomingEvent): void {
    const data = event as IncomingEvent & Record<string, unknown>;
    const told: CallEvent = {
      id: eventId(this.#pbx, data),
      call: call.id,
      source: this.#gateway,
      seq: call.nextSeq(),
      at: isoTime(data.timestamp),
      type: `ari.${event.type}`,
      data,
    };
    call.progress = advance(call.progress, told, call.channelId);
    this.#outbox.publish(told, traceHeaders(call.trace));
  }
}

/** Asterisk writes `2026-11-21T05:45:41.123+0000`; without a time of its own an event happened now. */
export function isoTime(timestamp: unknown): string {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return new Date(Number.isNaN(time) ? Date.now() : time).toISOString();
}

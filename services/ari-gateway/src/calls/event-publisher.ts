import {
  advance,
  CALL_CANCELLED,
  type CallEvent,
  type CallProgress,
  type EventOutbox,
  traceFields,
} from '@callfleet/bus';
import type { ChannelIndex, IncomingEvent } from '../events/channel-index.ts';
import { eventId } from '../events/event-id.ts';
import { measureSetup } from '../telemetry/metrics.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';

/** Gives each event its calls, its number and its id, and hands it to the bus. */
export class EventPublisher {
  readonly #index: ChannelIndex;
  readonly #gateway: string;
  readonly #calls: LiveCalls;
  readonly #outbox: EventOutbox;

  constructor(index: ChannelIndex, gateway: string, calls: LiveCalls, outbox: EventOutbox) {
    this.#index = index;
    this.#gateway = gateway;
    this.#calls = calls;
    this.#outbox = outbox;
  }

  /** The calls that the event concerns, each with whether the event's channel is its caller. To be asked once of each event. */
  callsOf(event: IncomingEvent): { call: LiveCall; isCaller: boolean }[] {
    return this.#index.concernedBy(event).map(({ id, isCaller }) => ({ call: this.#calls.get(id), isCaller }));
  }

  /** Whoever had the call placed wants it no more. */
  publishCancelled(call: LiveCall): void {
    const told: CallEvent = {
      id: `${CALL_CANCELLED} ${call.id}`,
      call: call.id,
      source: this.#gateway,
      seq: call.nextSeq(),
      at: new Date().toISOString(),
      type: CALL_CANCELLED,
      data: {},
    };
    this.#outbox.publish(told, traceFields(call.trace));
  }

  publish(call: LiveCall, event: IncomingEvent): CallEvent {
    const data = event as IncomingEvent & Record<string, unknown>;
    const text = JSON.stringify(data);
    const told: CallEvent = {
      id: eventId(call.id, data, text),
      call: call.id,
      source: this.#gateway,
      seq: call.nextSeq(),
      at: isoTime(data.timestamp),
      type: `ari.${event.type}`,
      data,
    };
    const progress = advance(call.progress, told, call.channelId);
    if (progress !== call.progress) this.#progress(call, progress, told);
    this.#outbox.publish(told, traceFields(call.trace), text);
    return told;
  }

  #progress(call: LiveCall, progress: CallProgress, { type, at }: CallEvent): void {
    const { offer } = call;
    const isAnswer = progress.answeredAt !== call.progress.answeredAt && type !== 'ari.StasisStart';
    if (isAnswer && offer && !offer.dial) measureSetup(offer.pbx, offer.enteredAt, at);
    call.progress = progress;
  }
}

const UTC = '+0000';
const IN_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/;

/** Asterisk writes `2026-11-21T05:45:41.123+0000`; without a time of its own an event happened now. */
export function isoTime(timestamp: unknown): string {
  if (typeof timestamp === 'string' && IN_UTC.test(timestamp)) return `${timestamp.slice(0, -UTC.length)}Z`;
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return new Date(Number.isNaN(time) ? Date.now() : time).toISOString();
}

import type { CallId } from '@callfleet/identity';
import type { Subscription } from '@nats-io/transport-node';
import { type CallEvent, callEventSchema } from './call-event.ts';
import type { Bus } from './connection.ts';
import { decodeMessage } from './message.ts';
import { storedMessages } from './stored-messages.ts';
import { subjects } from './subjects.ts';

/** A call's events from its start: first what the stream has, then live ones, each once. */
export interface CallEventFeed {
  close(): void;
}

export interface CallEventFeedOptions {
  onEvent: (event: CallEvent) => void;
  /** A message on the call's subject that is no call event: counted and logged by the caller, never fatal. */
  onBadMessage: (error: unknown) => void;
}

/** Subscribes first and reads the stream second, so that nothing falls between; a repeat is known by its id. */
export async function followCall(bus: Bus, call: CallId, options: CallEventFeedOptions): Promise<CallEventFeed> {
  const seen = new Set<string>();
  let early: CallEvent[] | undefined = [];
  const deliver = (event: CallEvent) => {
    if (seen.has(event.id)) return;
    seen.add(event.id);
    options.onEvent(event);
  };
  const read = (data: Uint8Array): CallEvent | undefined => {
    try {
      return decodeMessage(callEventSchema, data);
    } catch (error) {
      options.onBadMessage(error);
      return undefined;
    }
  };

  const subject = subjects.callEvents(call);
  const live: Subscription = bus.nc.subscribe(subject, {
    callback: (_error, message) => {
      const event = read(message.data);
      if (!event) return;
      if (early) early.push(event);
      else deliver(event);
    },
  });
  try {
    for await (const { data } of storedMessages(bus, subject)) {
      const event = read(data);
      if (event) deliver(event);
    }
  } catch (error) {
    live.unsubscribe();
    throw error;
  }
  for (const event of early) deliver(event);
  early = undefined;
  return { close: () => live.unsubscribe() };
}

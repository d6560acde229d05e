import type { CallId } from '@callfleet/identity';
import type { Subscription } from '@nats-io/transport-node';
import { type CallEvent, callEventSchema } from './call-event.ts';
import type { Bus } from './connection.ts';
import { decodeMessage } from './message.ts';
import { CALLS } from './streams.ts';
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

const CATCH_UP_BATCH = 1000;
/** JetStream's status for a batch that would be empty. */
const NOTHING_STORED = 404;

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
    for await (const stored of readStored(bus, subject)) {
      const event = read(stored);
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

async function* readStored(bus: Bus, subject: string): AsyncGenerator<Uint8Array> {
  let seq = 1;
  for (;;) {
    let count = 0;
    try {
      const batch = await bus.jsm.direct.getBatch(CALLS, { seq, next_by_subj: subject, batch: CATCH_UP_BATCH });
      for await (const stored of batch) {
        count += 1;
        seq = stored.seq + 1;
        yield stored.data;
      }
    } catch (error) {
      if ((error as { code?: unknown }).code !== NOTHING_STORED) throw error;
    }
    if (count < CATCH_UP_BATCH) return;
  }
}

import type { CallId } from '@callfleet/identity';
import { type CallEvent, callEventSchema } from './call-event.ts';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { EventOrder } from './event-order.ts';
import { decodeMessage } from './message.ts';
import { storedMessages } from './stored-messages.ts';
import { subjects } from './subjects.ts';

/**
 * What the stream has of a call's events, oldest first, those of one source in order; what is no call event is left out.
 *
 * @throws BusError CF_BUS_TIMEOUT when NATS falls silent
 */
export async function callHistory(bus: Bus, call: CallId): Promise<CallEvent[]> {
  const history: CallEvent[] = [];
  const order = new EventOrder((event) => history.push(event));
  for await (const { data } of storedMessages(bus, subjects.callEvents(call)))
    try {
      order.take(decodeMessage(callEventSchema, data));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  order.giveUpWaiting();
  return history;
}

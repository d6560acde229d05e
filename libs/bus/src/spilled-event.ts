import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { z } from 'zod';
import { type CallEvent, callEventSchema } from './call-event.ts';
import { decodeMessage } from './message.ts';

const schema = z.object({ event: callEventSchema, headers: z.record(z.string(), z.string()) });

/** An event, given as its message, as one line of a file. */
export function spilledLine(text: string, carried: MsgHdrs): string {
  const fields = Object.fromEntries(carried.keys().map((key) => [key, carried.get(key)]));
  return `{"event":${text},"headers":${JSON.stringify(fields)}}`;
}

/** @throws BusError CF_BUS_BAD_MESSAGE */
export function readSpilledLine(line: string): { event: CallEvent; headers: MsgHdrs } {
  const { event, headers: fields } = decodeMessage(schema, Buffer.from(line));
  const carried = headers();
  for (const [key, value] of Object.entries(fields)) carried.set(key, value);
  return { event, headers: carried };
}

import { z } from 'zod';
import { type CallEvent, callEventSchema } from './call-event.ts';
import type { HeaderFields } from './event-headers.ts';
import { decodeMessage } from './message.ts';

const schema = z.object({ event: callEventSchema, headers: z.record(z.string(), z.string()) });

/** An event, given as its message, as one line of a file. */
export function spilledLine(text: string, fields: HeaderFields): string {
  return `{"event":${text},"headers":${JSON.stringify(Object.fromEntries(fields))}}`;
}

/** @throws BusError CF_BUS_BAD_MESSAGE */
export function readSpilledLine(line: string): { event: CallEvent; fields: HeaderFields } {
  const { event, headers } = decodeMessage(schema, Buffer.from(line));
  return { event, fields: Object.entries(headers) };
}

import { z } from 'zod';
import { BusError } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Every message on the bus is one JSON value. */
export function encodeMessage(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Reads and checks one message. @throws BusError CF_BUS_BAD_MESSAGE, which names the field that is wrong. */
export function decodeMessage<T>(schema: z.ZodType<T>, data: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch (cause) {
    throw new BusError('CF_BUS_BAD_MESSAGE', 'the message is not JSON', { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BusError('CF_BUS_BAD_MESSAGE', `the message does not fit: ${z.prettifyError(result.error)}`);
}

import { NoRespondersError, RequestError, type Subscription, TimeoutError } from '@nats-io/transport-node';
import { type Context, context } from '@opentelemetry/api';
import type { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { forbidden } from './forbidden.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { contextOf, traceHeaders } from './trace-context.ts';

/**
 * Asks one question and waits for its answer.
 *
 * @throws BusError CF_BUS_NO_RESPONDER (nobody listens: known at once), CF_BUS_TIMEOUT, CF_BUS_BAD_MESSAGE, CF_NATS_FORBIDDEN
 */
export async function ask<Reply>(
  bus: Bus,
  subject: string,
  question: unknown,
  options: { reply: z.ZodType<Reply>; timeoutMs: number },
): Promise<Reply> {
  try {
    const message = await bus.nc.request(subject, encodeMessage(question), {
      timeout: options.timeoutMs,
      headers: traceHeaders(),
    });
    return decodeMessage(options.reply, message.data);
  } catch (cause) {
    throw asBusError(cause, subject, options.timeoutMs);
  }
}

function asBusError(cause: unknown, subject: string, timeoutMs: number): unknown {
  if (cause instanceof NoRespondersError || (cause instanceof RequestError && cause.isNoResponders()))
    return new BusError('CF_BUS_NO_RESPONDER', `nobody answers on ${subject}`, { cause });
  if (cause instanceof TimeoutError)
    return new BusError('CF_BUS_TIMEOUT', `no answer on ${subject} within ${timeoutMs} ms`, { cause });
  return forbidden(cause) ?? cause;
}

/**
 * Answers questions on `subject` until the returned subscription is drained. Questions are handled concurrently; each
 * handler runs in the trace context that its question came with, and must not throw: refusals are replies.
 *
 * @param queue of those who answer under the same name one gets each question. Default: all get it
 */
export function answer<Question, Reply>(
  bus: Bus,
  subject: string,
  schema: z.ZodType<Question>,
  handler: (question: Question, trace: Context) => Promise<Reply> | Reply,
  onBadMessage: (error: BusError) => Reply,
  queue?: string,
): Subscription {
  return bus.nc.subscribe(subject, {
    ...(queue !== undefined && { queue }),
    callback: (error, message) => {
      // It was refused: the connection tells of that.
      if (error) return;
      const trace = contextOf(message);
      void context.with(trace, async () => {
        let reply: Reply;
        try {
          reply = await handler(decodeMessage(schema, message.data), trace);
        } catch (error) {
          if (!(error instanceof BusError)) throw error;
          reply = onBadMessage(error);
        }
        message.respond(encodeMessage(reply));
      });
    },
  });
}

import type { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { ask } from './request-reply.ts';

/** Short, since a process that dies with a question in hand is known to be dead only by the next one. */
const TIMEOUT_MS = 250;

/**
 * Whether a process answers on the subject that it answers on as long as it lives. `gone`: nobody does, since NATS saw its
 * connection close; or it answers, and has not what was asked about. `silent`: it should answer, and does not.
 *
 * @param hasIt whether an answer is that it has what was asked about
 */
export async function presenceOn<Reply>(
  bus: Bus,
  subject: string,
  question: unknown,
  reply: z.ZodType<Reply>,
  hasIt: (reply: Reply) => boolean = () => true,
): Promise<'there' | 'silent' | 'gone'> {
  // Everybody seems silent then.
  if (bus.awayMs() !== undefined) return 'silent';
  try {
    return hasIt(await ask(bus, subject, question, { reply, timeoutMs: TIMEOUT_MS })) ? 'there' : 'gone';
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    // When NATS comes back, those who ask may be there before those who answer.
    return error.code === 'CF_BUS_NO_RESPONDER' && bus.isSettled() ? 'gone' : 'silent';
  }
}

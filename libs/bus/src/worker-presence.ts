import { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { answer, ask } from './request-reply.ts';
import { subjects } from './subjects.ts';

const question = z.object({});
const presence = z.object({ calls: z.int().nonnegative() });
/** Short, since a worker that dies with a question in hand is known to be dead only by the next one. */
const TIMEOUT_MS = 250;

/** Answers for a worker as long as its process lives. @returns stops */
export function announceWorker(bus: Bus, worker: string, calls: () => number): () => void {
  const reply = () => ({ calls: calls() });
  const subscription = answer(bus, subjects.worker(worker), question, reply, reply);
  return () => subscription.unsubscribe();
}

/**
 * Whether nobody answers for a worker any more: its process is dead, and NATS knows it. `silent` when it should answer, and
 * does not.
 */
export async function workerPresence(bus: Bus, worker: string): Promise<'there' | 'silent' | 'gone'> {
  try {
    await ask(bus, subjects.worker(worker), {}, { reply: presence, timeoutMs: TIMEOUT_MS });
    return 'there';
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.code === 'CF_BUS_NO_RESPONDER' ? 'gone' : 'silent';
  }
}

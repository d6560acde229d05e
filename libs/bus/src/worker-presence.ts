import type { CallId } from '@callfleet/identity';
import { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { callIdSchema } from './identity-schema.ts';
import { answer, ask } from './request-reply.ts';
import { subjects } from './subjects.ts';

const question = z.object({ call: callIdSchema.optional() });
const presence = z.object({
  calls: z.int().nonnegative(),
  /** Whether it has the call that was asked about. */
  has: z.boolean(),
});
/** Short, since a worker that dies with a question in hand is known to be dead only by the next one. */
const TIMEOUT_MS = 250;

/** Answers for a worker as long as its process lives. @returns stops */
export function announceWorker(
  bus: Bus,
  name: string,
  worker: { readonly calls: number; has(call: CallId): boolean },
): () => void {
  const reply = (call?: CallId) => ({ calls: worker.calls, has: call !== undefined && worker.has(call) });
  const subscription = answer(
    bus,
    subjects.worker(name),
    question,
    ({ call }) => reply(call as CallId | undefined),
    () => reply(),
  );
  return () => subscription.unsubscribe();
}

/**
 * Whether nobody answers for a worker any more: its process is dead, and NATS knows it. `silent` when it should answer, and
 * does not.
 *
 * @param call it is `gone` for this call when it answers that it does not have it: it gave up before it heard that it got it
 */
export async function workerPresence(bus: Bus, worker: string, call?: CallId): Promise<'there' | 'silent' | 'gone'> {
  try {
    const { has } = await ask(bus, subjects.worker(worker), { call }, { reply: presence, timeoutMs: TIMEOUT_MS });
    return call === undefined || has ? 'there' : 'gone';
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    // When NATS comes back, those who ask may be there before those who answer.
    return error.code === 'CF_BUS_NO_RESPONDER' && bus.isSettled() ? 'gone' : 'silent';
  }
}

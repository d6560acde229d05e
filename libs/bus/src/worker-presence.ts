import type { CallId } from '@callfleet/identity';
import { z } from 'zod';
import type { Bus } from './connection.ts';
import { callIdSchema } from './identity-schema.ts';
import { presenceOn } from './presence.ts';
import { answer } from './request-reply.ts';
import { subjects } from './subjects.ts';

const question = z.object({ call: callIdSchema.optional() });
const presence = z.object({
  calls: z.int().nonnegative(),
  /** Whether it has the call that was asked about. */
  has: z.boolean(),
});

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
 * Whether nobody answers for a worker any more: its process is dead, and NATS knows it.
 *
 * @param call it is `gone` for this call when it answers that it does not have it: it gave up before it heard that it got it
 */
export function workerPresence(bus: Bus, worker: string, call?: CallId): Promise<'there' | 'silent' | 'gone'> {
  return presenceOn(bus, subjects.worker(worker), { call }, presence, ({ has }) => call === undefined || has);
}

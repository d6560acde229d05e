import { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { answer, ask } from './request-reply.ts';
import { subjects } from './subjects.ts';

const question = z.object({});
const there = z.object({});
const TIMEOUT_MS = 1000;

/** Answers for a worker's programs as long as it takes new calls. @returns stops */
export function announcePrograms(bus: Bus, pool: string, names: readonly string[]): () => void {
  const reply = () => ({});
  const subscriptions = [...new Set(names)].map((name) =>
    answer(bus, subjects.program(pool, name), question, reply, reply, 'workers'),
  );
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}

/** Whether any worker of the pool can begin this program. One that should answer and does not is taken for there. */
export async function isProgramThere(bus: Bus, pool: string, name: string): Promise<boolean> {
  try {
    await ask(bus, subjects.program(pool, name), {}, { reply: there, timeoutMs: TIMEOUT_MS });
    return true;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.code !== 'CF_BUS_NO_RESPONDER';
  }
}

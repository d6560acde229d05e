import { z } from 'zod';
import type { Bus } from './connection.ts';
import { presenceOn } from './presence.ts';
import { answer } from './request-reply.ts';
import { subjects } from './subjects.ts';

const nothing = z.object({});

/** Answers for a relay as long as its process lives. @returns stops */
export function announceRelay(bus: Bus, name: string): () => void {
  const here = () => ({});
  const subscription = answer(bus, subjects.relayPresence(name), nothing, here, here);
  return () => subscription.unsubscribe();
}

/** Whether nobody answers for a relay any more: its process is dead, and NATS knows it. */
export function relayPresence(bus: Bus, relay: string): Promise<'there' | 'silent' | 'gone'> {
  return presenceOn(bus, subjects.relayPresence(relay), {}, nothing);
}

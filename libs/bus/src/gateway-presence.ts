import { z } from 'zod';
import type { Bus } from './connection.ts';
import { presenceOn } from './presence.ts';
import { answer } from './request-reply.ts';
import { subjects } from './subjects.ts';

const nothing = z.object({});

/** Answers for a gateway as long as its process lives. @returns stops */
export function announceGateway(bus: Bus, name: string): () => void {
  const reply = () => ({});
  const subscription = answer(bus, subjects.gateway(name), nothing, reply, reply);
  return () => subscription.unsubscribe();
}

/** Whether nobody answers for a gateway any more: its process is dead, and NATS knows it. */
export function gatewayPresence(bus: Bus, name: string): Promise<'there' | 'silent' | 'gone'> {
  return presenceOn(bus, subjects.gateway(name), {}, nothing);
}

import { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { answer, ask } from './request-reply.ts';
import { subjects } from './subjects.ts';

/** What the gateway that has a shard asks of the one that shall have it. */
const handOverSchema = z.object({
  /**
   * `connect`: connect its socket, and hold what comes in on it. `mirror`: say whether you see what happens on it. `take`: its lease is
   * free; carry on.
   */
  step: z.enum(['connect', 'mirror', 'take']),
  pbx: z.string(),
  shard: z.string(),
});

export type HandOver = z.infer<typeof handOverSchema>;

const replySchema = z.object({ done: z.boolean(), why: z.string() });

/** Carries out what other gateways ask of this one; what that throws, they are told. @returns stops */
export function onHandOver(bus: Bus, gateway: string, carryOut: (handOver: HandOver) => Promise<void>): () => void {
  const subscription = answer(
    bus,
    subjects.handOvers(gateway),
    handOverSchema,
    (handOver) =>
      carryOut(handOver).then(
        () => ({ done: true, why: '' }),
        (error: unknown) => ({ done: false, why: String(error) }),
      ),
    ({ message }) => ({ done: false, why: message }),
  );
  return () => subscription.unsubscribe();
}

/** Resolves when the other gateway has done it. @throws BusError CF_BUS_REFUSED (it could not, or NATS is away), and as `ask` */
export async function askHandOver(bus: Bus, gateway: string, handOver: HandOver, timeoutMs: number): Promise<void> {
  if (bus.awayMs() !== undefined) throw new BusError('CF_BUS_REFUSED', 'NATS is away: nobody can be asked');
  const { done, why } = await ask(bus, subjects.handOvers(gateway), handOver, { reply: replySchema, timeoutMs });
  if (!done) throw new BusError('CF_BUS_REFUSED', `${gateway} could not ${handOver.step} ${handOver.shard}: ${why}`);
}

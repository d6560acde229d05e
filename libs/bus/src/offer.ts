import { setTimeout as wait } from 'node:timers/promises';
import type { CallId } from '@callfleet/identity';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { z } from 'zod';
import type { Bus } from './connection.ts';
import { callIdSchema } from './identity-schema.ts';
import { encodeMessage } from './message.ts';
import { programVersionSchema } from './program-version.ts';
import { subjects } from './subjects.ts';

const party = z.object({ number: z.string(), name: z.string() });

/** What is to be dialled before the program of a call that we place begins. */
export const outboundDialSchema = z.object({
  /** The name of the program that talks to whoever answers. */
  program: z.string(),
  /** As Asterisk dials it: `PJSIP/alice`. */
  endpoint: z.string(),
  /** The trunk that the call takes a place of. */
  trunk: z.string().optional(),
  /** Who is shown to be calling. */
  callerId: z.object({ number: z.string(), name: z.string().optional() }).optional(),
  ringTimeoutMs: z.int().positive(),
  /** Of the channel. */
  variables: z.record(z.string(), z.string()),
});

export type OutboundDial = z.infer<typeof outboundDialSchema>;

/** A call wants a worker: all that a worker needs to choose a program and start it. */
export const offerSchema = z.object({
  call: callIdSchema,
  pbx: z.string(),
  /** The Stasis application that the call is in: where its commands go, and where its legs must be made. */
  shard: z.string(),
  /** Where the PBX stands, to find a relay near it. */
  zone: z.string(),
  channelId: z.string(),
  channelName: z.string(),
  channelState: z.string(),
  caller: party,
  called: z.object({ number: z.string(), context: z.string() }),
  /** What the dialplan gave to `Stasis(<shard>,...)` after the shard. */
  args: z.array(z.string()),
  /** Channel variables that the PBX is configured to send (`channelvars` in ari.conf). */
  variables: z.record(z.string(), z.string()),
  /** The highest epoch that a worker of this call has had, as far as the gateway knows; 0 for a new call. */
  epoch: z.int().nonnegative(),
  /** What has begun the call, and alone can go on with it; absent: the worker chooses by the extension. */
  program: programVersionSchema.optional(),
  /** The worker that had it, and is gone. */
  lostBy: z.string().optional(),
  /** W3C's traceparent of that worker's claim: its successor's span links to it. */
  ownerTrace: z.string().optional(),
  /** The call is one that we place, and this is what its first worker does; absent: it came in. */
  dial: outboundDialSchema.optional(),
  /** The gateway that filed it. */
  gateway: z.string(),
  /** StasisStart, ISO 8601, on Asterisk's clock; of a call that we place, when its gateway took it on. */
  enteredAt: z.string(),
  /** When the gateway gives the call back to the dialplan if nobody took it; milliseconds since the epoch. */
  expiresAt: z.int(),
});

export type Offer = z.infer<typeof offerSchema> & { readonly call: CallId };

/** JetStream takes a moment longer than NATS to come back. */
const RETRY_AFTER_MS = 100;

/**
 * A gateway offers a call once for each owner that it loses: a repeat is dropped. Only workers with its program get it then. What
 * was under way when NATS went away is sent again when it is back, as long as the offer holds: the caller waits for it.
 *
 * @throws JetStreamApiError what NATS refuses it with; of jetstream and nats-core, that it could not be sent in time
 */
export async function publishOffer(bus: Bus, pool: string, offer: Offer, headers: MsgHdrs): Promise<void> {
  const msgID = `offer ${offer.call} ${offer.epoch} ${offer.gateway}`;
  const subject = offer.program ? subjects.takeovers(pool, offer.program) : subjects.offers(pool);
  const data = encodeMessage(offer);
  for (;;) {
    const back = Promise.withResolvers<false>();
    const forget = bus.onReconnect(() => back.resolve(false));
    try {
      const stored = bus.js.publish(subject, data, { msgID, headers }).then(() => true as const);
      // What becomes of it when NATS was away meanwhile is of no interest any more.
      stored.catch(() => {});
      if (await Promise.race([stored, back.promise])) return;
    } catch (error) {
      if (error instanceof JetStreamApiError || bus.nc.isClosed() || Date.now() >= offer.expiresAt) throw error;
      await wait(RETRY_AFTER_MS);
    } finally {
      forget();
    }
  }
}

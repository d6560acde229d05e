import { z } from 'zod';
import { callIdSchema } from './identity-schema.ts';
import { outboundDialSchema } from './offer.ts';

/** What whoever wants a call placed asks of a gateway of its PBX. */
export const originateRequestSchema = outboundDialSchema
  .pick({ program: true, callerId: true, ringTimeoutMs: true, variables: true })
  .extend({
    /** Chosen by who asks, so that it knows of which call it hears. */
    call: callIdSchema,
    /** An endpoint, `PJSIP/alice`, or a number through a trunk of the PBX, `trunk-a:+4930123`. */
    to: z.string().min(1),
  });

export type OriginateRequest = z.infer<typeof originateRequestSchema>;

/** Why a gateway did not take on a call that it was asked to place. */
export const originateRefusals = [
  /** It lets go of its shard this moment: another gateway has it, or will. */
  'CF_SHARD_NOT_HELD',
  /** The PBX fails originates. */
  'CF_PBX_NOT_HEALTHY',
  /** No worker of the PBX's pool has the program. */
  'CF_PROGRAM_UNKNOWN',
  /** The PBX has no trunk of that name. */
  'CF_TRUNK_UNKNOWN',
  /** As many calls as may are on the trunk. */
  'CF_TRUNK_FULL',
  /** As many calls as may were placed on the trunk this second. */
  'CF_TRUNK_TOO_FAST',
  /** Redis is away: calls on trunks can not be counted. */
  'CF_TRUNK_NOT_COUNTED',
  /** What is to be called is no endpoint and no number. */
  'CF_BAD_DESTINATION',
  /** NATS did not take the offer of it. */
  'CF_OFFER_FAILED',
  'CF_BUS_BAD_MESSAGE',
] as const;

export type OriginateRefusal = (typeof originateRefusals)[number];

export const originateReplySchema = z.discriminatedUnion('ok', [
  /** Workers are asked for it; its record will come, whatever becomes of it. */
  z.object({ ok: z.literal(true), gateway: z.string(), shard: z.string() }),
  z.object({ ok: z.literal(false), code: z.enum(originateRefusals), message: z.string() }),
]);

export type OriginateReply = z.infer<typeof originateReplySchema>;

import { z } from 'zod';
import { callIdSchema } from './identity-schema.ts';

/** "Whoever had this call placed wants it no more." */
export const cancelRequestSchema = z.object({ call: callIdSchema });

export type CancelRequest = z.infer<typeof cancelRequestSchema>;

export const cancelReplySchema = z.discriminatedUnion('state', [
  /** It is not dialled any more, or hung up; its record will say so. */
  z.object({ state: z.literal('cancelled') }),
  /** It was over before. */
  z.object({ state: z.literal('over') }),
  /** This shard has no such call that was placed. */
  z.object({ state: z.literal('unknown') }),
  /** It is this shard's, and the PBX could not be asked. */
  z.object({ state: z.literal('failed'), message: z.string() }),
]);

export type CancelReply = z.infer<typeof cancelReplySchema>;

import { z } from 'zod';
import { callIdSchema } from './identity-schema.ts';
import { programVersionSchema } from './program-version.ts';

const fromWorker = {
  call: callIdSchema,
  /** The fencing token of the worker's lease: a lower one than the gateway has seen is refused. */
  epoch: z.int().positive(),
};

/** What a worker asks of the gateway that holds its call's shard. */
export const commandSchema = z.discriminatedUnion('kind', [
  /** "The call is this worker's": stops the claim time-out. Without `program` it is told by another, who does not know it. */
  z.object({
    kind: z.literal('claim'),
    ...fromWorker,
    worker: z.string(),
    program: programVersionSchema.optional(),
  }),
  /** "The call is over, and nothing of it is left": no other worker need have it. */
  z.object({ kind: z.literal('done'), ...fromWorker }),
  /** "I stop: another worker shall have the call." */
  z.object({ kind: z.literal('release'), ...fromWorker }),
  /** One REST request to the PBX. A repeated `id` is answered from memory: executed at most once. */
  z.object({
    kind: z.literal('ari'),
    ...fromWorker,
    id: z.string().min(1),
    request: z.object({
      method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
      route: z.string(),
      path: z.string().min(1),
      query: z.record(z.string(), z.string()),
      body: z.unknown().optional(),
    }),
  }),
]);

export type Command = z.infer<typeof commandSchema>;

/** Why a gateway did not execute a command. */
export const commandRefusals = [
  /** A worker with a higher epoch has the call. */
  'CF_COMMAND_FENCED',
  /** The call was given back to the dialplan, since nobody claimed it in time. */
  'CF_CALL_RELEASED',
  /** Not carried out: another gateway has the shard, or is about to. To be sent again. */
  'CF_SHARD_NOT_HELD',
  /** The PBX did not answer in time: the command may or may not have been executed. */
  'CF_PBX_NO_ANSWER',
  /** The connection to the PBX was lost before the answer: likewise. Sent again, it is sent to the PBX again. */
  'CF_PBX_CONNECTION_LOST',
  /** Not sent: as many commands wait for the PBX as may, or this one waited for too long. */
  'CF_PBX_BUSY',
  /** Not sent: the PBX fails commands of this kind. */
  'CF_BREAKER_OPEN',
  /** Not sent: the trunk that it would dial through has as many calls as may be on it. */
  'CF_TRUNK_FULL',
  /** Not sent: as many calls as may were dialled through the trunk this second. */
  'CF_TRUNK_TOO_FAST',
  /** Not sent: Redis is away, and calls on trunks can not be counted. */
  'CF_TRUNK_NOT_COUNTED',
  /** Not sent: whoever had the call placed has cancelled it. */
  'CF_CALL_CANCELLED',
  'CF_BUS_BAD_MESSAGE',
] as const;

export type CommandRefusal = (typeof commandRefusals)[number];

export const commandReplySchema = z.discriminatedUnion('ok', [
  /** The PBX answered, with whatever status. */
  z.object({ ok: z.literal(true), status: z.int(), reason: z.string(), body: z.unknown().optional() }),
  z.object({ ok: z.literal(false), code: z.enum(commandRefusals), message: z.string() }),
]);

export type CommandReply = z.infer<typeof commandReplySchema>;

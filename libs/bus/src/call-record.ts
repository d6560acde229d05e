import { z } from 'zod';
import { dialOutcomeOf } from './dial-outcome.ts';
import { callIdSchema } from './identity-schema.ts';
import type { Offer } from './offer.ts';
import { programVersionSchema } from './program-version.ts';
import { mediaStatsSchema } from './relay-messages.ts';

const milliseconds = z.number();

const unmeasuredSchema = z.object({
  provider: z.string(),
  relay: z.string(),
  /** Audio flowed in both directions; by the relay's clock. */
  startedAt: z.string(),
  /** The relay was found to be gone; by the worker's clock. Absent: not by the worker that wrote the record. */
  lostAt: z.string().optional(),
});

export type UnmeasuredSession = z.infer<typeof unmeasuredSchema>;

/**
 * The call record (CDR): what is known of a call when it is over. Written by the last worker that had it, or by the gateway
 * when no worker has it at its end. Times are ISO 8601, on Asterisk's clock. docs/call-records.md explains each field.
 */
export const callRecordSchema = z.object({
  call: callIdSchema,
  pbx: z.string(),
  shard: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  caller: z.object({ number: z.string(), name: z.string() }),
  called: z.object({ number: z.string(), context: z.string() }),
  /** What was dialled, of a call that we placed, and what became of it. `failed`: it could not be asked for. */
  dial: z
    .object({
      endpoint: z.string(),
      trunk: z.string().optional(),
      outcome: z.enum(['answered', 'busy', 'no-answer', 'rejected', 'unreachable', 'cancelled', 'failed']),
    })
    .optional(),
  /** Absent: no worker had the call, so none was chosen. */
  program: programVersionSchema.optional(),
  /** The gateway that offered it. */
  gateway: z.string(),
  /** The workers that had it, in order; the last one had it at its end, or lost it and nobody took it over. */
  workers: z.array(z.string()),
  /** How often it went from one worker to another. */
  takeovers: z.int().nonnegative(),
  enteredAt: z.string(),
  answeredAt: z.string().optional(),
  endedAt: z.string(),
  /** Entering Stasis to answer; to the end where there was none. */
  ringMs: milliseconds,
  /** Answer to end. */
  talkMs: milliseconds.optional(),
  /** In conversation with voice AIs, the sum over `media`. Absent: written by the gateway, which does not know. */
  botMs: milliseconds.optional(),
  /**
   * Who ended it: `caller` hung up, or `callee`, whom we had called; `program` hung up or returned, `dialplan` took it back,
   * `transfer` by SIP REFER, `unanswered`: whom we called did not answer,
   * `cancelled` by who had it placed, `error` in the program.
   */
  endedBy: z.enum(['caller', 'callee', 'program', 'dialplan', 'transfer', 'unanswered', 'cancelled', 'error']),
  /** CALLFLEET_STATUS, when it went back to the dialplan with one. */
  status: z.string().optional(),
  /** Asterisk's hang-up cause (Q.850) and its text, where the channel ended. */
  cause: z.object({ code: z.int(), text: z.string() }).optional(),
  /** The error that ended the program. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** How many digits the caller pressed; never which. Absent: written by the gateway. */
  digits: z.int().nonnegative().optional(),
  media: z.array(mediaStatsSchema.extend({ relay: z.string(), reason: z.string() })),
  /** Media sessions whose relay died, with what it had measured. Absent: there was none, or written by the gateway. */
  unmeasured: z.array(unmeasuredSchema).optional(),
});

export type CallRecord = z.infer<typeof callRecordSchema>;

/** What whoever writes the record knows beyond the call's offer. */
type KnownAtEnd = Pick<
  CallRecord,
  'program' | 'workers' | 'answeredAt' | 'endedAt' | 'endedBy' | 'status' | 'cause' | 'error' | 'digits' | 'unmeasured'
> & {
  readonly media?: CallRecord['media'] | undefined;
  /** Of whom we called. Default: what the hang-up cause says. */
  readonly dialed?: DialResult | undefined;
};

type DialResult = NonNullable<CallRecord['dial']>['outcome'];

export function callRecordOf(offer: Offer, { media, dialed, ...end }: KnownAtEnd): CallRecord {
  const { call, pbx, shard, caller, called, dial, gateway, enteredAt } = offer;
  return {
    call,
    pbx,
    shard,
    direction: dial ? 'outbound' : 'inbound',
    caller,
    called,
    ...(dial && {
      dial: {
        endpoint: dial.endpoint,
        ...(dial.trunk !== undefined && { trunk: dial.trunk }),
        outcome: dialed ?? dialResultOf(end),
      },
    }),
    gateway,
    enteredAt,
    ...end,
    endedBy: dial && end.endedBy === 'caller' ? (end.answeredAt === undefined ? 'unanswered' : 'callee') : end.endedBy,
    takeovers: Math.max(0, end.workers.length - 1),
    ringMs: millisecondsBetween(enteredAt, end.answeredAt ?? end.endedAt),
    ...(end.answeredAt !== undefined && { talkMs: millisecondsBetween(end.answeredAt, end.endedAt) }),
    ...(media && { botMs: media.reduce((sum, session) => sum + session.talkMs, 0) }),
    media: media ?? [],
  };
}

function dialResultOf({ answeredAt, cause }: Pick<KnownAtEnd, 'answeredAt' | 'cause'>): DialResult {
  if (answeredAt !== undefined) return 'answered';
  return cause ? dialOutcomeOf(cause.code) : 'failed';
}

function millisecondsBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

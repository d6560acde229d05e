import { JetStreamApiError } from '@nats-io/jetstream';
import { z } from 'zod';
import type { Bus } from './connection.ts';
import { callIdSchema } from './identity-schema.ts';
import { encodeMessage } from './message.ts';
import { mediaStatsSchema } from './relay-messages.ts';
import { subjects } from './subjects.ts';
import { traceHeaders } from './trace-context.ts';

/** The call record (CDR): what is known of a call when it is over. Times are ISO 8601. */
export const callRecordSchema = z.object({
  call: callIdSchema,
  pbx: z.string(),
  shard: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  caller: z.object({ number: z.string(), name: z.string() }),
  called: z.object({ number: z.string(), context: z.string() }),
  program: z.string(),
  gateway: z.string(),
  /** The worker that had it at its end. */
  worker: z.string(),
  /** How many workers lost it before. */
  takeovers: z.int().nonnegative(),
  enteredAt: z.string(),
  answeredAt: z.string().optional(),
  endedAt: z.string(),
  /** Entering Stasis to answer, on Asterisk's clock. */
  setupMs: z.number().optional(),
  /** Answer to end. */
  talkMs: z.number().optional(),
  /**
   * Who ended it: `caller` hung up, `program` hung up or returned, `dialplan` took it back, `transfer` by SIP REFER, `error` in
   * the program.
   */
  endedBy: z.enum(['caller', 'program', 'dialplan', 'transfer', 'error']),
  /** Asterisk's hang-up cause (Q.850) and its text, where the channel ended. */
  cause: z.object({ code: z.int(), text: z.string() }).optional(),
  /** The error that ended the program. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** How many digits the caller pressed; never which. */
  digits: z.int().nonnegative(),
  media: z.array(mediaStatsSchema.extend({ relay: z.string(), reason: z.string() })),
});

export type CallRecord = z.infer<typeof callRecordSchema>;

const MAXIMUM_MESSAGES_PER_SUBJECT = 10077;

/** Writes a call's record. A second one for the same call changes nothing. */
export async function writeCallRecord(bus: Bus, record: CallRecord): Promise<void> {
  try {
    await bus.js.publish(subjects.cdr(record.call), encodeMessage(record), {
      msgID: `cdr ${record.call}`,
      headers: traceHeaders(),
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === MAXIMUM_MESSAGES_PER_SUBJECT)) throw error;
  }
}

import type { CallId } from '@callfleet/identity';
import { z } from 'zod';
import { callIdSchema } from './identity-schema.ts';

/** The type of the event that whoever had a call placed wants it no more. */
export const CALL_CANCELLED = 'call.cancelled';

/**
 * One thing that happened to a call, as told by a gateway or a relay.
 *
 * `type` is `ari.<type of the ARI event>`, with that event as `data`, or `media.<what>` from a relay, or {@link CALL_CANCELLED}.
 */
export interface CallEvent {
  /** Same thing, same id, whoever saw it: JetStream drops the repeat. */
  readonly id: string;
  readonly call: CallId;
  /** The process that tells it. */
  readonly source: string;
  /** 1, 2, 3, ... per call and source: a missing number is a gap. */
  readonly seq: number;
  /** When it happened, ISO 8601, on the clock of whoever saw it first (Asterisk's for `ari.*`). */
  readonly at: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/**
 * A call event as its message.
 *
 * @param data the event's `data` as JSON, where it is at hand: it is nearly all of the event
 */
export function callEventText({ id, call, source, seq, at, type, data }: CallEvent, dataText?: string): string {
  const head = JSON.stringify({ id, call, source, seq, at, type });
  return `${head.slice(0, -1)},"data":${dataText ?? JSON.stringify(data)}}`;
}

export const callEventSchema: z.ZodType<CallEvent> = z.object({
  id: z.string().min(1),
  call: callIdSchema,
  source: z.string().min(1),
  seq: z.int().positive(),
  at: z.string(),
  type: z.string().min(1),
  data: z.record(z.string(), z.unknown()),
});

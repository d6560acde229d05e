import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import type { CallRecord } from './call-record.ts';

/** A conversation that ended so was not ended by anybody. */
const BAD_ENDS: ReadonlySet<string> = new Set(['provider-failed', 'media-lost', 'never-attached']);
/** CALLFLEET_STATUS of a caller whom we could not serve. */
const OUR_STATUS: ReadonlySet<string> = new Set(['NOWORKER', 'NOGATEWAY']);

/**
 * Why a call counts as failed, in few words without ids: its program's error, what it was given back for, or how a conversation of
 * it broke. Undefined: it did not. That somebody was busy or hung up is no failure.
 */
export function whyFailed({ error, endedBy, status, media, unmeasured }: CallRecord): string | undefined {
  if (error) return error.code;
  if (endedBy === 'error') return 'error';
  if (endedBy === 'dialplan' && status !== undefined && OUR_STATUS.has(status)) return status;
  const broken = media.find(({ reason }) => BAD_ENDS.has(reason));
  if (broken) return broken.reason;
  return unmeasured ? 'relay-lost' : undefined;
}

/** One span for a call that failed, in its trace; exported whatever share of calls is traced (docs/decisions/0025). No numbers, no words of anybody. */
export function traceIfFailed(record: CallRecord): void {
  const why = whyFailed(record);
  if (why === undefined) return;
  const { call, pbx, shard, direction, program, workers, takeovers, enteredAt, endedAt, endedBy, status } = record;
  const attributes: Attributes = {
    'callfleet.failed': true,
    'error.type': why,
    'callfleet.call': call,
    'callfleet.pbx': pbx,
    'callfleet.shard': shard,
    'callfleet.direction': direction,
    'callfleet.ended_by': endedBy,
    'callfleet.takeovers': takeovers,
    'callfleet.workers': workers,
    'callfleet.ring_ms': record.ringMs,
    ...(program && { 'callfleet.program': program.name }),
    ...(status !== undefined && { 'callfleet.status': status }),
    ...(record.talkMs !== undefined && { 'callfleet.talk_ms': record.talkMs }),
    ...(record.cause && { 'callfleet.cause': record.cause.code }),
  };
  const span = trace.getTracer('callfleet').startSpan('call.failed', { attributes, startTime: new Date(enteredAt) });
  span.setStatus({ code: SpanStatusCode.ERROR, message: why });
  span.end(new Date(Math.max(Date.parse(enteredAt), Date.parse(endedAt))));
}

import { type CallId, partsOfCallId } from '@callfleet/identity';
import type { CallEvent } from './call-event.ts';
import { CallEventFeed } from './call-event-feed.ts';
import { advance, type CallProgress } from './call-progress.ts';
import { type CallRecord, callRecordSchema } from './call-record.ts';
import type { Bus } from './connection.ts';
import { decodeMessage } from './message.ts';
import { subjects } from './subjects.ts';

/** What became of a call that was placed. Without an answer its program did not begin. */
export type OriginateOutcome =
  | { readonly outcome: 'answered' }
  | {
      readonly outcome: Exclude<NonNullable<CallRecord['dial']>['outcome'], 'answered'>;
      /** Asterisk's hang-up cause (Q.850), where it told one. */
      readonly cause?: CallRecord['cause'];
      /** `NOWORKER`: nobody took the call in time. */
      readonly status?: string | undefined;
      /** Why it could not be dialled. */
      readonly error?: CallRecord['error'];
    };

/** Read from the call's events and its record, so that who asks late, or was cut off, learns it too. */
export async function originateOutcome(bus: Bus, call: CallId, signal?: AbortSignal): Promise<OriginateOutcome> {
  signal?.throwIfAborted();
  const known = Promise.withResolvers<OriginateOutcome>();
  const channelId = partsOfCallId(call)?.channelId ?? '';
  let progress: CallProgress = {};
  const onEvent = (event: CallEvent) => {
    progress = advance(progress, event, channelId);
    if (progress.answeredAt !== undefined) known.resolve({ outcome: 'answered' });
  };
  const onRecord = (data: Uint8Array) => {
    try {
      known.resolve(outcomeIn(decodeMessage(callRecordSchema, data) as CallRecord));
    } catch (error) {
      known.reject(error);
    }
  };
  const readRecord = async () => {
    const stored = await bus.jsm.direct.getMessage('CDRS', { last_by_subj: subjects.cdr(call) });
    if (stored) onRecord(stored.data);
  };
  const written = bus.nc.subscribe(subjects.cdr(call), {
    callback: (error, { data }) => (error ? known.reject(error) : onRecord(data)),
  });
  // What came before, and what came while NATS was away.
  const readAgain = () => void readRecord().catch(() => {});
  const stop = bus.onReconnect(readAgain);
  const onAbort = () => known.reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  known.promise.catch(() => {});
  const feed = CallEventFeed.open(bus, call, { onEvent, onBadMessage: () => {} });
  readAgain();
  try {
    return await known.promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop();
    written.unsubscribe();
    void feed.then((open) => open.close());
  }
}

function outcomeIn({ dial, cause, status, error }: CallRecord): OriginateOutcome {
  const outcome = dial?.outcome ?? 'failed';
  if (outcome === 'answered') return { outcome };
  return { outcome, ...(cause && { cause }), ...(status !== undefined && { status }), ...(error && { error }) };
}

import { setTimeout as wait } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import { traceIfFailed } from './call-failure.ts';
import type { CallRecord } from './call-record.ts';
import type { Bus } from './connection.ts';
import { encodeMessage } from './message.ts';
import { subjects } from './subjects.ts';
import { traceHeaders } from './trace-context.ts';

const MAXIMUM_MESSAGES_PER_SUBJECT = 10077;
/** While NATS is away a record is tried again, for so long. */
const WRITE_LIMIT_MS = 60_000;
const RETRY_AFTER_MS = 250;

/** Writes a call's record, and tells its trace if it failed. A second one for the same call changes nothing. */
export async function writeCallRecord(bus: Bus, record: CallRecord): Promise<void> {
  const deadline = Date.now() + WRITE_LIMIT_MS;
  for (;;) {
    try {
      await bus.js.publish(subjects.cdr(record.call), encodeMessage(record), {
        msgID: `cdr ${record.call}`,
        headers: traceHeaders(),
      });
      traceIfFailed(record);
      return;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === MAXIMUM_MESSAGES_PER_SUBJECT) return;
      if (Date.now() > deadline) throw error;
    }
    await wait(RETRY_AFTER_MS);
  }
}

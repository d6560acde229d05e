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
  if (await isNews(bus, record)) traceIfFailed(record);
}

/** @returns false when another has written it; when it had to be sent again that is not known, and may be us */
async function isNews(bus: Bus, record: CallRecord): Promise<boolean> {
  const deadline = Date.now() + WRITE_LIMIT_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { duplicate } = await bus.js.publish(subjects.cdr(record.call), encodeMessage(record), {
        msgID: `cdr ${record.call}`,
        headers: traceHeaders(),
      });
      return !duplicate || attempt > 1;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === MAXIMUM_MESSAGES_PER_SUBJECT) return attempt > 1;
      if (Date.now() > deadline) throw error;
    }
    await wait(RETRY_AFTER_MS);
  }
}

import type { MsgHdrs } from '@nats-io/transport-node';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { isForwarded } from './forwarded.ts';
import { CALLS, LIVE } from './streams.ts';

const BATCH = 1000;
/** JetStream's status for a batch that would be empty. */
const NOTHING_STORED = 404;
/** A batch whose next message does not come in this time never comes: NATS went away in the middle of it. */
const SILENCE_LIMIT_MS = 2000;

export interface StoredMessage {
  /** Its number in the stream. */
  readonly seq: number;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

/**
 * What a stream has of one subject from a sequence number of the stream on, oldest first; only what was published to it.
 *
 * @throws BusError CF_BUS_TIMEOUT when NATS falls silent
 */
export async function* storedMessages(
  bus: Bus,
  subject: string,
  from = 1,
  stream = CALLS,
): AsyncGenerator<StoredMessage> {
  let seq = from;
  for (;;) {
    let count = 0;
    for await (const message of batchOf(bus, stream, subject, seq)) {
      count += 1;
      seq = message.seq + 1;
      // Of LIVE only the last word on a call is kept, under no id.
      if (stream === LIVE || !isForwarded(message.headers, 1)) yield message;
    }
    if (count < BATCH) return;
  }
}

async function* batchOf(bus: Bus, stream: string, subject: string, seq: number): AsyncGenerator<StoredMessage> {
  const messages = await bus.jsm.direct.getBatch(stream, { seq, next_by_subj: subject, batch: BATCH });
  const silence = new BusError('CF_BUS_TIMEOUT', `no answer from stream ${stream} within ${SILENCE_LIMIT_MS} ms`);
  const timer = setTimeout(() => messages.stop(silence), SILENCE_LIMIT_MS);
  try {
    for await (const { seq: number, data, header } of messages) {
      timer.refresh();
      yield { seq: number, data, headers: header };
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== NOTHING_STORED) throw error;
  } finally {
    clearTimeout(timer);
  }
}

import type { MsgHdrs } from '@nats-io/transport-node';

const MSG_ID = 'Nats-Msg-Id';
const STREAM = 'Nats-Stream';

/**
 * JetStream sends what it has stored to whatever reply subject a question names, and asks nobody's permissions then: who may read
 * a stream and write anything to it can have that stored again as an event. Such a message says which stream it was in, or has no
 * headers at all (`no_hdr`). What was published has its id, and has not been in a stream.
 *
 * @param reads how often it was read from a stream on its way here: 0 of one that just comes, 1 of one that was asked for
 */
export function isForwarded(headers: MsgHdrs | undefined, reads: 0 | 1): boolean {
  return !headers?.has(MSG_ID) || headers.values(STREAM).length > reads;
}

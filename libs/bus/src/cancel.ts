import { setTimeout as wait } from 'node:timers/promises';
import { type CallId, partsOfCallId } from '@callfleet/identity';
import { createInbox } from '@nats-io/transport-node';
import { callRecordSchema } from './call-record.ts';
import { type CancelReply, cancelReplySchema } from './cancel-messages.ts';
import type { Bus } from './connection.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { subjects } from './subjects.ts';

/**
 * A call could not be cancelled. `CF_CALL_UNKNOWN`: no gateway has such a call that was placed, and it has no record;
 * `CF_CANCEL_NO_ANSWER`: its gateway, or its PBX, is away; it may be tried again. `CF_NATS_AWAY`: nobody could be asked.
 */
export class CancelError extends Error {
  override readonly name = 'CancelError';
  readonly code: 'CF_CALL_UNKNOWN' | 'CF_CANCEL_NO_ANSWER' | 'CF_NATS_AWAY';
  readonly call: CallId;

  constructor(code: CancelError['code'], message: string, call: CallId) {
    super(message);
    this.code = code;
    this.call = call;
  }
}

/** A shard may be changing hands: the next gateway has its calls again within this time, milliseconds. */
const LIMIT_MS = 10_000;
const ASK_AGAIN_AFTER_MS = 250;
/** All who hold a shard of the PBX answer, most that they do not know the call; a hang-up takes its time limit at most. */
const ANSWERS_WITHIN_MS = 6000;
/** After the first answer the others are not far, milliseconds. */
const OTHERS_WITHIN_MS = 500;

/**
 * Takes back a call that was placed: it is not dialled any more, stops ringing, or is hung up. Doing so twice is as good as once.
 *
 * @returns `cancelled`; or `over`, when it had ended before
 * @throws CancelError
 */
export async function cancelCall(bus: Bus, call: CallId): Promise<'cancelled' | 'over'> {
  const { pbx } = partsOfCallId(call) ?? {};
  if (pbx === undefined) throw new CancelError('CF_CALL_UNKNOWN', `"${call}" is no call's id`, call);
  const deadline = Date.now() + LIMIT_MS;
  let why = 'no gateway holds a shard of its PBX';
  for (;;) {
    if (bus.awayMs() !== undefined)
      throw new CancelError('CF_NATS_AWAY', 'NATS is away: no gateway can be asked', call);
    const reply = await askAll(bus, pbx, call);
    if (reply?.state === 'cancelled' || reply?.state === 'over') return reply.state;
    const ended = reply?.state !== 'failed' && (await endedBy(bus, call));
    if (ended) return ended === 'cancelled' ? 'cancelled' : 'over';
    if (reply?.state === 'failed') why = reply.message;
    if (Date.now() > deadline && reply?.state === 'unknown')
      throw new CancelError('CF_CALL_UNKNOWN', `there is no call ${call} that was placed`, call);
    if (Date.now() > deadline) throw new CancelError('CF_CANCEL_NO_ANSWER', `${call} is not cancelled: ${why}`, call);
    await wait(ASK_AGAIN_AFTER_MS);
  }
}

/** @returns what the one that has it says; `unknown` when none has it; undefined when nobody answers */
async function askAll(bus: Bus, pbx: string, call: CallId): Promise<CancelReply | undefined> {
  const known = Promise.withResolvers<CancelReply | undefined>();
  let last: CancelReply | undefined;
  const finish = () => known.resolve(last);
  let timer = setTimeout(finish, ANSWERS_WITHIN_MS);
  const inbox = createInbox(bus.inboxPrefix);
  const answers = bus.nc.subscribe(inbox, {
    callback: (error, message) => {
      // Nobody listens: NATS itself says so, with an empty message.
      if (error || message.data.length === 0) return finish();
      try {
        last = decodeMessage(cancelReplySchema, message.data);
      } catch {
        return;
      }
      if (last.state !== 'unknown') return finish();
      clearTimeout(timer);
      timer = setTimeout(finish, OTHERS_WITHIN_MS);
    },
  });
  try {
    bus.nc.publish(subjects.cancel(pbx), encodeMessage({ call }), { reply: inbox });
    return await known.promise;
  } finally {
    clearTimeout(timer);
    answers.unsubscribe();
  }
}

async function endedBy(bus: Bus, call: CallId): Promise<string | undefined> {
  const stored = await bus.jsm.direct.getMessage('CDRS', { last_by_subj: subjects.cdr(call) }).catch(() => null);
  return stored ? decodeMessage(callRecordSchema, stored.data).endedBy : undefined;
}

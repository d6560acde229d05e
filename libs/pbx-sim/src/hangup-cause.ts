import { Refusal } from './answer.ts';

/** Q.850, as far as somebody asks for it by name in ARI, or a called party ends with it. */
const BY_REASON: Readonly<Record<string, number>> = {
  normal: 16,
  busy: 17,
  congestion: 34,
  no_answer: 19,
  timeout: 102,
  rejected: 21,
  unallocated: 1,
  normal_unspecified: 31,
  number_incomplete: 28,
  codec_mismatch: 58,
  interworking: 127,
  failure: 38,
  answered_elsewhere: 26,
};

const TEXTS: Readonly<Record<number, string>> = {
  0: 'Unknown',
  1: 'Unallocated (unassigned) number',
  16: 'Normal Clearing',
  17: 'User busy',
  18: 'No user responding',
  19: 'User alerting, no answer',
  20: 'Subscriber absent',
  21: 'Call Rejected',
  26: 'Answered elsewhere',
  28: 'Invalid number format',
  31: 'Normal, unspecified',
  34: 'Circuit/channel congestion',
  38: 'Network out of order',
  58: 'Bearer capability not available',
  102: 'Recover on timer expiry',
  127: 'Interworking, unspecified',
};

export const NORMAL_CLEARING = 16;

export function textOfCause(cause: number): string {
  return TEXTS[cause] ?? 'Unknown';
}

/** Of `DELETE /channels/{id}`. @throws Refusal */
export function causeOfReason(reason: string | undefined, code: string | undefined): number {
  if (reason !== undefined && code !== undefined)
    throw new Refusal(400, 'The reason and reason_code parameters can not both be specified');
  if (code !== undefined) {
    if (!/^\d+$/.test(code)) throw new Refusal(400, 'Invalid Reason Code for Hangup');
    return Number(code);
  }
  const cause = BY_REASON[reason ?? 'normal'];
  if (cause === undefined) throw new Refusal(400, 'Invalid Reason for Hangup');
  return cause;
}

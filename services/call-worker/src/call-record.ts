import type { CallRecord, Offer } from '@callfleet/bus';
import type { CallOutcome } from '@callfleet/calls/runtime';
import type { Lease } from '@callfleet/leases';
import type { MediaResult } from './relay-client.ts';

/** The record of a call from its offer, its outcome and what its media sessions measured. */
export function callRecordOf(
  offer: Offer,
  program: string,
  lease: Lease,
  outcome: CallOutcome,
  media: Iterable<MediaResult>,
): CallRecord {
  const { answeredAt, cause, error } = outcome;
  // Only a call that was taken from us has no end on Asterisk's clock.
  const endedAt = outcome.endedAt ?? new Date().toISOString();
  return {
    call: offer.call,
    pbx: offer.pbx,
    shard: offer.shard,
    direction: 'inbound',
    caller: offer.caller,
    called: offer.called,
    program,
    gateway: offer.gateway,
    worker: lease.owner,
    takeovers: lease.epoch - 1,
    enteredAt: offer.enteredAt,
    ...(answeredAt !== undefined && {
      answeredAt,
      setupMs: millisecondsBetween(offer.enteredAt, answeredAt),
      talkMs: millisecondsBetween(answeredAt, endedAt),
    }),
    endedAt,
    endedBy: outcome.endedBy,
    ...(cause && { cause }),
    ...(error && { error }),
    digits: outcome.digits,
    media: [...media].map(({ relay, reason, stats }) => ({ ...stats, relay, reason })),
  };
}

function millisecondsBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

import { type CallRecord, callRecordOf, type Offer, type ProgramVersion } from '@callfleet/bus';
import type { CallOutcome } from '@callfleet/calls/runtime';
import type { MediaLedger } from './media-ledger.ts';

export interface WorkerKnows {
  readonly program: ProgramVersion;
  /** Who has had the call, in order. */
  readonly workers: readonly string[];
  /** CALLFLEET_STATUS, if it was set. */
  readonly status: string | undefined;
  readonly outcome: CallOutcome;
  readonly ledger: Pick<MediaLedger, 'media' | 'unmeasured'>;
}

/** The record of a call from its offer, its outcome and what its media sessions measured. */
export function workerRecordOf(offer: Offer, { program, workers, status, outcome, ledger }: WorkerKnows): CallRecord {
  const { answeredAt, cause, error, endedBy, digits, dialed } = outcome;
  const { unmeasured } = ledger;
  const wentBack = endedBy === 'dialplan' || endedBy === 'error';
  return callRecordOf(offer, {
    program,
    workers: [...workers],
    ...(answeredAt !== undefined && { answeredAt }),
    // Only a call whose end Asterisk never told has none on its clock.
    endedAt: outcome.endedAt ?? new Date().toISOString(),
    endedBy,
    ...(wentBack && status !== undefined && { status }),
    ...(cause && { cause }),
    ...(error && { error }),
    // One call, one endpoint: nobody else can have been called instead.
    ...(dialed && dialed !== 'congested' && { dialed }),
    digits,
    media: ledger.media,
    ...(unmeasured.length > 0 && { unmeasured }),
  });
}

import { type CallRecord, callRecordSchema } from '@callfleet/bus';
import { meter, Tally } from '@callfleet/telemetry';

export const pulledOffers = new Tally(
  'callfleet.offers.pulled',
  { description: 'Offers pulled, by what became of them', unit: '{offer}', attribute: 'callfleet.outcome' },
  ['taken', 'given-back', 'expired', 'has-worker'],
);

export const takeovers = meter.createCounter('callfleet.calls.taken_over', {
  description: 'Calls taken over from another worker',
  unit: '{call}',
});
takeovers.add(0);

const ended = meter.createCounter('callfleet.calls.ended', {
  description: 'Calls that ended in this worker, by program and by who ended them',
  unit: '{call}',
});

export function countEnded(program: string, endedBy: CallRecord['endedBy'], count = 1): void {
  ended.add(count, { 'callfleet.program': program, 'callfleet.ended_by': endedBy });
}

/** Shows the counts of these programs from the start, with 0. */
export function expectPrograms(programs: Iterable<string>): void {
  for (const program of programs)
    for (const endedBy of callRecordSchema.shape.endedBy.options) countEnded(program, endedBy, 0);
}

export function watchCalls(calls: () => number): void {
  meter
    .createObservableGauge('callfleet.worker.calls', { description: "Calls in this worker's hands", unit: '{call}' })
    .addCallback((result) => result.observe(calls()));
}

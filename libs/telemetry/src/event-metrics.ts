import { meter, Tally } from './metrics.ts';

interface Waiting {
  held(): number;
  readonly spill: { readonly length: number; readonly bytes: number };
}

/** What a service that tells call events counts of them, and how many wait for NATS now: `held`, some of them on disk. */
export function eventMetrics({ held, spill }: Waiting): {
  onPublished(type: string): void;
  onRefused(events?: number): void;
} {
  const published = new Tally('callfleet.events.published', {
    description: 'Call events that NATS has acknowledged',
    unit: '{event}',
    attribute: 'callfleet.event_type',
  });
  const refused = meter.createCounter('callfleet.events.refused', {
    description: 'Call events lost, since there was no room to hold them',
    unit: '{event}',
  });
  refused.add(0);
  meter
    .createObservableGauge('callfleet.events.held', { description: 'Call events that wait for NATS', unit: '{event}' })
    .addCallback((result) => result.observe(held()));
  watchSpill(spill);
  return { onPublished: (type) => published.count(type), onRefused: (events = 1) => refused.add(events) };
}

function watchSpill(spill: Waiting['spill']): void {
  meter
    .createObservableGauge('callfleet.spill.events', {
      description: 'Call events on disk, or on their way there',
      unit: '{event}',
    })
    .addCallback((result) => result.observe(spill.length));
  meter
    .createObservableGauge('callfleet.spill.size', { description: 'What they take of the disk', unit: 'By' })
    .addCallback((result) => result.observe(spill.bytes));
}

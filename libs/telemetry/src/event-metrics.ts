import { meter, Tally } from './metrics.ts';

/** What a service that tells call events counts of them; `held` is how many wait for NATS now. */
export function eventMetrics(held: () => number): {
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
  return { onPublished: (type) => published.count(type), onRefused: (events = 1) => refused.add(events) };
}

/** What of them is on disk. */
export function watchSpill(spill: { readonly length: number; readonly bytes: number }): void {
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

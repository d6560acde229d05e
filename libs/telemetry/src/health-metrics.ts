import { type Health, serviceStates } from './health.ts';
import { meter } from './metrics.ts';

/** Tells how the service is to whoever watches its metrics. */
export function startHealthMetrics(health: Health): void {
  meter
    .createObservableGauge('callfleet.service.state', {
      description: '1 for the state that the service is in',
      unit: '1',
    })
    .addCallback((result) => {
      for (const state of serviceStates) result.observe(state === health.state ? 1 : 0, { 'callfleet.state': state });
    });
  meter
    .createObservableGauge('callfleet.service.check', { description: '1 while this check passes', unit: '1' })
    .addCallback((result) => {
      for (const [check, whyNot] of health.results())
        result.observe(whyNot === undefined ? 1 : 0, { 'callfleet.check': check });
    });
}

/** Logs, traces, metrics, health and the life cycle that every service shares. */
export { Admission } from './admission.ts';
export { eventMetrics } from './event-metrics.ts';
export type { ServiceState } from './health.ts';
export { createLogger, type Logger } from './logger.ts';
export { meter, Tally, watchGauges } from './metrics.ts';
export { runService, type Service } from './service.ts';
export { inSpan, tracer } from './tracing.ts';

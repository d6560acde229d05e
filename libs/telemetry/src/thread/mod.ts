/** What a service's other threads need of this library: all the rest, OpenTelemetry above all, takes several times as long to load, and memory in each thread. */
export { Admission } from '../admission.ts';
export { createLogger } from '../logger.ts';

/** Logs, traces and the life cycle that every service shares. */
export { createLogger, type Logger } from './logger.ts';
export { runService, type Service } from './service.ts';
export { inSpan, tracer } from './tracing.ts';

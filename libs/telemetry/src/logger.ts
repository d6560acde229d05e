import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `json` for machines, one object a line; `pretty` for a person at a terminal. */
  format: 'json' | 'pretty';
}

/**
 * Logs are events with fields. The trace that is active when a line is written is named in it, so that logs and traces
 * join. Fields that could hold a secret are masked, whoever logs them.
 */
export function createLogger(service: string, instance: string, options: LogOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service, instance },
      timestamp: stdTimeFunctions.isoTime,
      redact: [
        'password',
        '*.password',
        'token',
        '*.token',
        'authorization',
        '*.authorization',
        'headers.authorization',
      ],
      formatters: { level: (label) => ({ level: label }) },
      mixin() {
        const span = trace.getActiveSpan()?.spanContext();
        return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
      },
    },
    options.format === 'pretty'
      ? pretty({ sync: true, singleLine: true, ignore: 'pid,hostname,trace_id,span_id' })
      : pino.destination({ sync: true }),
  );
}

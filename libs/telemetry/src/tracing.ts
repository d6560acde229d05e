import {
  type Context,
  context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CallSampler } from './sampling.ts';

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP receiver (`http://collector:4318`). Without it spans carry context but go nowhere. */
  otlpEndpoint?: string | undefined;
  /** Of so many calls, 0..1, all spans are exported; of the others only that they failed. Default 1. */
  traceRatio?: number | undefined;
}

// Without any processor NodeSDK registers no tracer, and then nothing would carry the call's trace id.
const dropSpans = {
  onStart() {},
  onEnd() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** Starts OpenTelemetry's traces for this process. @returns sends what is still held, then stops. */
export function startTracing(resource: Resource, options: TracingOptions): () => Promise<void> {
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    sampler: new CallSampler(options.traceRatio ?? 1),
    ...(options.otlpEndpoint
      ? { traceExporter: new OTLPTraceExporter({ url: new URL('/v1/traces', options.otlpEndpoint).href }) }
      : { spanProcessors: [dropSpans] }),
  });
  sdk.start();
  return () => sdk.shutdown();
}

export const tracer: Tracer = trace.getTracer('callfleet');

export interface SpanOptions {
  kind?: SpanKind | undefined;
  attributes?: Record<string, string | number | boolean | undefined> | undefined;
  /** To what it goes on from. */
  links?: Link[] | undefined;
  /** Default: the active context. */
  parent?: Context | undefined;
}

/** Runs `work` in a span that ends with it; an error is recorded and passed on. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T> | T): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = tracer.startSpan(
    name,
    { kind: options.kind ?? SpanKind.INTERNAL, attributes: options.attributes ?? {}, links: options.links ?? [] },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.recordException(error as Error);
    span.setAttribute('error.type', (error as { code?: string }).code ?? (error as Error).name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

import { createHash } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { CallSampler } from './sampling.ts';

const { NOT_RECORD, RECORD_AND_SAMPLED } = SamplingDecision;

function decided(ratio: number, traceId: string, parent = ROOT_CONTEXT, attributes = {}) {
  return new CallSampler(ratio).shouldSample(parent, traceId, 'call', SpanKind.INTERNAL, attributes, []).decision;
}

const idOf = (n: number) => createHash('sha256').update(String(n)).digest('hex').slice(0, 32);
const within = (traceId: string, traceFlags: TraceFlags) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '00f067aa0ba902b7', traceFlags, isRemote: true });

test('of many calls about so many are traced as is asked for', () => {
  const ids = Array.from({ length: 1000 }, (_, n) => idOf(n + 1));
  const traced = (ratio: number) => ids.filter((id) => decided(ratio, id) === RECORD_AND_SAMPLED).length;
  expect(traced(1)).toBe(1000);
  expect(traced(0)).toBe(0);
  expect(traced(0.25)).toBeGreaterThan(150);
  expect(traced(0.25)).toBeLessThan(350);
});

test('a call is traced by all services or by none', () => {
  for (const ratio of [0, 1]) {
    expect(decided(ratio, idOf(1), within(idOf(1), TraceFlags.SAMPLED))).toBe(RECORD_AND_SAMPLED);
    expect(decided(ratio, idOf(1), within(idOf(1), TraceFlags.NONE))).toBe(NOT_RECORD);
  }
});

test('that a call failed is told of every call', () => {
  expect(decided(0, idOf(1), within(idOf(1), TraceFlags.NONE), { 'callfleet.failed': true })).toBe(RECORD_AND_SAMPLED);
});

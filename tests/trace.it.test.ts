import { type OtlpReceiver, placeCall, type ReceivedSpan, startOtlpReceiver } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let collector: OtlpReceiver;
let system: TestFleet;

beforeAll(async () => {
  collector = await startOtlpReceiver();
  system = await startTestFleet({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
    config: { telemetry: { level: 'info', otlpEndpoint: collector.url } },
  });
});
afterAll(async () => {
  await system?.stop();
  await collector?.stop();
});

/** The names on the way from a span up to the root of its trace. */
function ancestry(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string[] {
  const parent = spans.find((other) => other.spanId === span.parentSpanId);
  return parent ? [span.name, ...ancestry(parent, spans)] : [span.name];
}

test('one call is one trace, through gateway, worker, relay and each command, with its id in every span', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const sip = await placeCall({ to: pbx.sipAddress, extension: '100', from: '4001', audio: { toneHz: 600 } });
  await sip.waitForTone(600, 10_000);
  await sip.hangUp();
  const { call } = await system.recordOf('4001');
  // What is held back in batches is exported at the latest when the services stop.
  await system.fleet.stop();

  const spans = collector.spans();
  expect(new Set(spans.map((span) => span.traceId)).size).toBe(1);
  expect(spans.filter((span) => span.attributes['callfleet.call'] !== call)).toEqual([]);
  expect(new Set(spans.map((span) => span.service))).toEqual(
    new Set(['callfleet-ari-gateway', 'callfleet-call-worker', 'callfleet-media-relay']),
  );
  const roots = spans.filter((span) => span.parentSpanId === undefined);
  expect(roots.map((span) => [span.service, span.name])).toEqual([['callfleet-ari-gateway', 'offer']]);
  const orphans = spans.filter(
    (span) => span.parentSpanId !== undefined && !spans.some((other) => other.spanId === span.parentSpanId),
  );
  expect(orphans).toEqual([]);

  const answer = spans.find((span) => span.name === 'ari POST /channels/{channelId}/answer');
  if (!answer) throw new Error('the answer left no span in the gateway');
  expect(ancestry(answer, spans)).toEqual([
    'ari POST /channels/{channelId}/answer',
    'command POST /channels/{channelId}/answer',
    'answer',
    'call',
    'offer',
  ]);
  expect(answer.attributes['http.response.status_code']).toBe(204);
  const media = spans.find((span) => span.name === 'media open');
  if (!media) throw new Error('the relay left no span');
  expect(ancestry(media, spans)).toEqual(['media open', 'connect', 'call', 'offer']);
});

test('every log line about the call names it and its trace', () => {
  const lines = system.complaints
    .map((line) => line.slice(line.indexOf('{')))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, string>);
  const aboutCalls = lines.filter((line) => /^(call|offer|command)\./.test(line.msg ?? ''));
  expect(aboutCalls.map((line) => line.msg)).toEqual(
    expect.arrayContaining(['call.offered', 'call.claimed', 'call.ended']),
  );
  const traces = new Set(collector.spans().map((span) => span.traceId));
  for (const line of aboutCalls) {
    expect(line.call).toMatch(/^pbx-a\./);
    expect(traces).toContain(line.trace_id);
  }
});

import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(() => receiver.stop());

const exported = (name: string) => ({
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'ari-gateway' } },
          { key: 'service.instance.id', value: { stringValue: 'gateway-1-d5f53d' } },
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              traceId: 'a'.repeat(32),
              spanId: 'b'.repeat(16),
              parentSpanId: 'c'.repeat(16),
              name,
              kind: 4,
              startTimeUnixNano: '1795242565125839123',
              endTimeUnixNano: '1795242565127839123',
              attributes: [
                { key: 'call', value: { stringValue: 'pbx-a.1' } },
                { key: 'epoch', value: { intValue: '3' } },
                { key: 'shards', value: { arrayValue: { values: [{ stringValue: 'a' }, { boolValue: true }] } } },
              ],
              status: { code: 2 },
              events: [{ name: 'dtmf', attributes: [{ key: 'callfleet.digit', value: { stringValue: '*' } }] }],
              links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16), attributes: [] }],
            },
          ],
        },
      ],
    },
  ],
});

const send = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${receiver.url}/v1/traces`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

test('an exported span is there with all that is known of it', async () => {
  expect((await send(JSON.stringify(exported('publish')))).status).toBe(200);
  expect(receiver.spans()).toEqual([
    {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      parentSpanId: 'c'.repeat(16),
      name: 'publish',
      kind: 'producer',
      service: 'ari-gateway',
      instance: 'gateway-1-d5f53d',
      attributes: { call: 'pbx-a.1', epoch: 3, shards: ['a', true] },
      startMs: 1795242565125.839,
      endMs: 1795242565127.839,
      failed: true,
      events: [{ name: 'dtmf', attributes: { 'callfleet.digit': '*' } }],
      links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
    },
  ]);
});

test('a span that comes later, and compressed, is waited for', async () => {
  const awaited = receiver.waitFor((span) => span.name === 'later', 5000);
  await send(gzipSync(JSON.stringify(exported('later'))), { 'content-encoding': 'gzip' });
  expect((await awaited).name).toBe('later');
});

test('a span that does not come is reported with those that did', async () => {
  await send(JSON.stringify(exported('publish')));
  await expect(receiver.waitFor((span) => span.name === 'answer', 30)).rejects.toThrow('ari-gateway: publish');
});

test('what is no trace in JSON is refused', async () => {
  expect((await send('{')).status).toBe(400);
  expect((await send('x', { 'content-type': 'application/x-protobuf' })).status).toBe(415);
  expect(receiver.spans()).toEqual([]);
});

import { setTimeout as wait } from 'node:timers/promises';
import {
  type AiServer,
  type OpenAiConnection,
  type OtlpReceiver,
  placeCall,
  type ReceivedSpan,
  startOpenAiServer,
  startOtlpReceiver,
  startPhone,
} from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let collector: OtlpReceiver;
let ai: AiServer<OpenAiConnection>;
let system: TestFleet;
const POLL = { timeout: 10_000, interval: 50 };

beforeAll(async () => {
  // Services inherit it: each call's spans are here soon, not in batches of 5 s.
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  collector = await startOtlpReceiver();
  ai = await startOpenAiServer();
  vi.stubEnv('OPENAI_API_KEY', ai.key);
  vi.stubEnv('LOCAL_AI_URL', ai.url);
  system = await startTestFleet({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
    config: { telemetry: { level: 'info', otlpEndpoint: collector.url }, worker: { drainMs: 0 } },
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
  await ai?.stop();
  await collector?.stop();
});

const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

/** All spans of the caller's call, when its record is written and the last of them, which has this name, has come. */
async function traceOf(from: string, lasts: readonly string[] = ['call']): Promise<Trace> {
  const { call } = await system.recordOf(from);
  const mine = () => collector.spans().filter((span) => span.attributes['callfleet.call'] === call);
  for (const name of lasts)
    await expect.poll(() => mine().some((span) => span.name === name), { ...POLL, message: name }).toBe(true);
  // What was exported with them is from other processes.
  await wait(500);
  return new Trace(mine());
}

/** The spans of one call. */
class Trace {
  readonly spans: readonly ReceivedSpan[];

  constructor(spans: readonly ReceivedSpan[]) {
    this.spans = spans;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name).toSorted((a, b) => a.startMs - b.startMs);
  }

  one(name: string): ReceivedSpan {
    const [span, ...more] = this.named(name);
    if (!span || more.length > 0) throw new Error(`${more.length + (span ? 1 : 0)} spans "${name}"`);
    return span;
  }

  /** One line for each kind of way from the root down to a span, as `service: root > ... > name`. */
  get tree(): string[] {
    return [
      ...new Set(this.spans.map((span) => `${span.service.replace('callfleet-', '')}: ${this.way(span)}`)),
    ].toSorted();
  }

  way(span: ReceivedSpan): string {
    if (span.parentSpanId === undefined) return span.name;
    const parent = this.spans.find((other) => other.spanId === span.parentSpanId);
    return `${parent ? this.way(parent) : '(lost)'} > ${span.name}`;
  }

  expectWhole(): void {
    expect(new Set(this.spans.map((span) => span.traceId)).size, 'traces').toBe(1);
    const roots = this.spans.filter((span) => span.parentSpanId === undefined);
    expect(roots.map(({ service, name }) => `${service} ${name}`)).toEqual(['callfleet-ari-gateway offer']);
    expect(
      this.spans.filter((span) => this.way(span).startsWith('(lost)')).map(({ name }) => name),
      'without a parent',
    ).toEqual([]);
  }
}

test('a call in conversation is one trace: its waits, its operations and commands, who spoke when, keys without their names', async () => {
  ai.answers.push(
    { text: 'One two three four five six seven eight nine ten.', ms: 6000 },
    { tool: { name: 'weather', arguments: { city: 'Bremen' } } },
    { text: 'It rains.', ms: 500 },
  );
  const sip = await placeCall({ to: pbx().sipAddress, extension: '503', from: '4001' });
  await sip.answered;
  await vi.waitFor(() => expect(ai.connections).toHaveLength(1), POLL);
  for (const ms of [800, 600]) {
    await sip.setAudio({ toneHz: 600 });
    await wait(ms);
    await sip.setAudio(null);
    await wait(1300);
  }
  sip.sendDtmf('73');
  await wait(1500);
  await sip.hangUp();
  const trace = await traceOf('4001', ['call', 'media session']);
  trace.expectWhole();
  console.info(trace.tree.join('\n'));
  expect(trace.tree).toEqual(CONVERSATION);
});

const CONVERSATION: string[] = [];

test('a takeover does not break the trace: the new owner is under the same root, and links to what the earlier one was', async () => {
  const sip = await placeCall({ to: pbx().sipAddress, extension: '100', from: '4002', audio: { toneHz: 600 } });
  await sip.waitForTone(600, 10_000);
  const owner = (await owners('4002')).at(-1);
  await system.fleet.workers.find(({ name }) => owner?.startsWith(name))?.stop();
  await sip.waitForTone(600, 10_000);
  await wait(500);
  await sip.hangUp();
  const trace = await traceOf('4002', ['call', 'media session']);
  trace.expectWhole();
  console.info(trace.tree.join('\n'));
  const [first, second, ...more] = trace.named('call');
  expect(more).toEqual([]);
  expect([first, second].map((span) => span?.attributes['callfleet.epoch'])).toEqual([1, 2]);
  const [claimed] = trace.named('claim');
  expect(trace.way(claimed as ReceivedSpan)).toBe('offer > call > claim');
  expect(second?.links).toEqual([{ traceId: first?.traceId, spanId: claimed?.spanId }]);
  expect(trace.named('offer wait').map(({ attributes }) => attributes['callfleet.reason'])).toEqual([
    'new',
    'worker-stops',
  ]);
});

/** Who has had the caller's call by now, from the log. */
async function owners(_from: string): Promise<string[]> {
  const claimed = () => system.complaints.filter((line) => line.includes('"msg":"call.claimed"'));
  await expect.poll(() => claimed().length, POLL).toBeGreaterThanOrEqual(2);
  return claimed().map((line) => line.slice(0, line.indexOf(':')));
}

test('a transfer is in the trace: the leg is dialled, asked and joined under one operation', async () => {
  const phone = await startPhone({ from: pbx(), behaviour: 'answers', audio: { toneHz: 1400 } });
  const port = phone.endpoint.split(':').at(-1) ?? '';
  const sip = await placeCall({ to: pbx().sipAddress, extension: `95${port}`, from: '4003', audio: { toneHz: 700 } });
  const agent = await phone.nextCall();
  await agent.answered;
  await wait(1500);
  agent.sendDtmf('1');
  await sip.waitForTone(1400, 5000);
  await sip.hangUp();
  await phone.stop();
  const trace = await traceOf('4003');
  trace.expectWhole();
  console.info(trace.tree.join('\n'));
  expect(trace.tree).toEqual(TRANSFER);
});

const TRANSFER: string[] = [];

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

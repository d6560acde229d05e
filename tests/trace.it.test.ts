import { setTimeout as wait } from 'node:timers/promises';
import { placeCall, startPhone } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callTrace, withCommands } from './call-trace.ts';
import { startTracedFleet, type TracedFleet } from './traced-fleet.ts';
import { startVoiceAi, type VoiceAi } from './voice-ai.ts';

let ai: VoiceAi;
let system: TracedFleet;
const POLL = { timeout: 10_000, interval: 50 };

beforeAll(async () => {
  ai = await startVoiceAi();
  system = await startTracedFleet({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
    config: { telemetry: { level: 'info' }, worker: { drainMs: 0 } },
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
  await ai?.stop();
});

const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

const traceOf = (from: string, lasts?: readonly string[]) => callTrace(system, from, lasts);

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
  expect(trace.tree).toEqual(
    withCommands([
      'ari-gateway: offer',
      'ari-gateway: offer > offer wait',
      'call-worker: offer > call',
      'call-worker: offer > call > answer',
      'call-worker: offer > call > answer > command POST /channels/{channelId}/answer',
      'call-worker: offer > call > claim',
      'call-worker: offer > call > connect',
      'call-worker: offer > call > connect > command POST /bridges/{bridgeId}',
      'call-worker: offer > call > connect > command POST /bridges/{bridgeId}/addChannel',
      'call-worker: offer > call > connect > command POST /channels/externalMedia',
      'call-worker: offer > call > conversation.ended',
      'call-worker: offer > call > conversation.next tool-call',
      'call-worker: offer > call > conversation.next tool-call-cancelled',
      'call-worker: offer > call > conversation.toolResult',
      'call-worker: offer > call > end',
      'call-worker: offer > call > end > command DELETE /bridges/{bridgeId}',
      'call-worker: offer > call > end > command DELETE /channels/{channelId}',
      'call-worker: offer > call > step tool weather',
      'call-worker: offer > lease',
      'media-relay: offer > call > connect > media attach',
      'media-relay: offer > call > connect > media open',
      'media-relay: offer > call > connect > media open > media session',
      'media-relay: offer > call > connect > media open > media session > listen',
      'media-relay: offer > call > connect > media open > media session > speak',
      'media-relay: offer > call > connect > media open > media session > think',
      'media-relay: offer > call > conversation.toolResult > media tool-result',
      'media-relay: offer > call > end > media close',
      'media-relay: offer > call > media digit',
    ]),
  );
  const session = trace.one('media session');
  expect(session.attributes).toMatchObject({ 'gen_ai.provider.name': 'openai', 'callfleet.reason': 'closed' });
  expect(session.events.map(({ name }) => name)).toEqual(['media.started', 'barge-in', 'tool-call']);
  const [interrupted, ...rest] = trace.named('speak');
  expect(interrupted?.attributes['callfleet.interrupted']).toBe(true);
  expect(rest.map(({ attributes }) => attributes['callfleet.interrupted'])).toEqual([false]);
  const [listen] = trace.named('listen');
  const [think] = trace.named('think');
  expect(think?.endMs, 'the bot begins when it has thought').toBeCloseTo(interrupted?.startMs ?? 0, -1);
  expect(Math.abs((think?.startMs ?? 0) - (listen?.endMs ?? 0)), 'it thinks when the caller has stopped').toBeLessThan(
    100,
  );
  expect(trace.one('step tool weather').attributes).toMatchObject({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'weather',
  });
  const keys = trace.one('call').events.filter(({ name }) => name === 'dtmf');
  expect(keys.map(({ attributes }) => attributes['callfleet.digit'])).toEqual(['*', '*']);
  const [answer] = trace.named('ari POST /channels/{channelId}/answer');
  expect(answer?.attributes['http.response.status_code']).toBe(204);
});

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
  const [first, second, ...more] = trace.named('call');
  expect(more).toEqual([]);
  expect([first, second].map((span) => span?.attributes['callfleet.epoch'])).toEqual([1, 2]);
  const [claimed] = trace.named('claim');
  expect(claimed && trace.way(claimed)).toBe('offer > call > claim');
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
  expect(trace.tree).toEqual(
    withCommands([
      'ari-gateway: offer',
      'ari-gateway: offer > offer wait',
      'call-worker: offer > call',
      'call-worker: offer > call > answer',
      'call-worker: offer > call > answer > command POST /channels/{channelId}/answer',
      'call-worker: offer > call > bridge',
      'call-worker: offer > call > bridge > command POST /bridges/{bridgeId}',
      'call-worker: offer > call > bridge > command POST /bridges/{bridgeId}/addChannel',
      'call-worker: offer > call > claim',
      'call-worker: offer > call > dial',
      'call-worker: offer > call > dial > command POST /channels/create',
      'call-worker: offer > call > dial > command POST /channels/{channelId}/dial',
      'call-worker: offer > call > end',
      'call-worker: offer > call > end > command DELETE /bridges/{bridgeId}',
      'call-worker: offer > call > end > command DELETE /channels/{channelId}',
      'call-worker: offer > call > hold',
      'call-worker: offer > call > hold > command POST /channels/{channelId}/moh',
      'call-worker: offer > call > leg.gather',
      'call-worker: offer > call > leg.play',
      'call-worker: offer > call > leg.play > command POST /channels/{channelId}/play/{playbackId}',
      'call-worker: offer > call > room.ended',
      'call-worker: offer > call > step tell',
      'call-worker: offer > call > unhold',
      'call-worker: offer > call > unhold > command DELETE /channels/{channelId}/moh',
      'call-worker: offer > lease',
    ]),
  );
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
  const traces = new Set(system.collector.spans().map((span) => span.traceId));
  for (const line of aboutCalls) {
    expect(line.call).toMatch(/^pbx-a\./);
    expect(traces).toContain(line.trace_id);
  }
});

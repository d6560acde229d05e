import { setTimeout as wait } from 'node:timers/promises';
import { placeCall } from '@callfleet/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { callTrace } from './call-trace.ts';
import { startTracedFleet, type TracedFleet } from './traced-fleet.ts';

let system: TracedFleet;

beforeEach(async () => {
  system = await startTracedFleet({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
    config: {
      worker: { drainMs: 0, sessionTtlMs: 2000 },
    },
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
});

const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

test('a worker is killed: its call goes on in the same trace, and who has it now links to the claim of who had it', async () => {
  const call = await placeCall({ to: pbx().sipAddress, extension: '100', from: '4301', audio: { toneHz: 600 } });
  await call.waitForTone(600, 10_000);
  const claim = await system.collector.waitFor(({ name }) => name === 'claim', 5000);
  // What the killed one did is exported by then.
  await wait(1000);
  await system.fleet.workers.find(({ name }) => claim.instance.startsWith(name))?.kill();
  const next = await system.collector.waitFor(
    ({ name, instance }) => name === 'claim' && instance !== claim.instance,
    15_000,
  );
  await call.waitForTone(600, 10_000);
  await call.hangUp();
  const trace = await callTrace(system, '4301', ['call', 'media session']);
  trace.expectOne();
  expect(trace.one('call')).toMatchObject({
    instance: next.instance,
    attributes: { 'callfleet.epoch': 2 },
    links: [{ traceId: claim.traceId, spanId: claim.spanId }],
  });
  expect(trace.named('offer wait').map(({ attributes }) => attributes['callfleet.reason'])).toEqual([
    'new',
    'worker-gone',
  ]);
  expect(trace.spans.filter(({ instance }) => instance === next.instance).map((span) => trace.way(span))).toEqual(
    expect.arrayContaining(['offer > lease', 'offer > call > claim', 'offer > call > end']),
  );
  expect(
    trace.lost.filter(({ instance }) => instance === next.instance).map(({ name }) => name),
    'of who has it now, without a parent',
  ).toEqual([]);
  const missing = trace.spans.filter((span) => trace.way(span) === `(lost) > ${span.name}`);
  expect(new Set(missing.map(({ instance }) => instance)), 'whose parents never came').toEqual(
    new Set([claim.instance]),
  );
  expect(new Set(missing.map(({ parentSpanId }) => parentSpanId)), 'the call of who was killed, nothing else').toEqual(
    new Set([claim.parentSpanId]),
  );
});

test('a breaker that opens while a command of the call is at the PBX is an event in the trace of the call', async () => {
  const call = await placeCall({ to: pbx().sipAddress, extension: '30001', from: '4302' });
  await call.answered;
  process.kill(pbx().pid, 'SIGSTOP');
  try {
    const isOpen = () => system.complaints.some((line) => line.includes('"msg":"breaker.opened"'));
    await expect.poll(isOpen, { timeout: 10_000 }).toBe(true);
  } finally {
    process.kill(pbx().pid, 'SIGCONT');
  }
  await call.hangUp();
  const trace = await callTrace(system, '4302');
  trace.expectWhole();
  const told = trace.spans.filter(({ events }) => events.some(({ name }) => name === 'breaker.opened'));
  expect(told.map((span) => trace.way(span))).toEqual([
    expect.stringMatching(/^offer > call > setVariable > command .+ > ari POST \/channels\/\{channelId\}\/variable$/),
  ]);
  expect(told[0]?.events).toContainEqual({
    name: 'breaker.opened',
    attributes: { 'callfleet.pbx': 'pbx-a', 'callfleet.command_class': 'control' },
  });
});

import { setTimeout as wait } from 'node:timers/promises';
import { FALLBACK_TONE_HZ, placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTracedFleet, type TracedFleet } from './traced-fleet.ts';

let system: TracedFleet;

beforeAll(async () => {
  system = await startTracedFleet({
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    gateways: 1,
    workers: 1,
    config: {
      gateway: { claimTimeoutMs: 1000 },
      telemetry: { traceRatio: 0 },
    },
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
});

test('where no calls are traced, each that failed is told of all the same: in its worker, and where it had none', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const failed = async (extension: string, from: string) => {
    const call = await placeCall({ to: pbx.sipAddress, extension, from });
    await call.waitForTone(FALLBACK_TONE_HZ, 10_000);
    await call.hangUp();
    const record = await system.recordOf(from);
    const span = await system.collector.waitFor(({ attributes }) => attributes['callfleet.call'] === record.call, 5000);
    return { record, span };
  };
  const well = await placeCall({ to: pbx.sipAddress, extension: '100', from: '4100', audio: { toneHz: 600 } });
  await well.waitForTone(600, 10_000);
  await well.hangUp();
  await system.recordOf('4100');

  const thrown = await failed('600', '4101');
  expect(thrown.span).toMatchObject({ service: 'callfleet-call-worker', name: 'call.failed', failed: true });
  expect(thrown.span.attributes).toMatchObject({
    'error.type': 'CF_PROGRAM_FAILED',
    'callfleet.program': 'throws',
    'callfleet.ended_by': 'error',
    'callfleet.workers': thrown.record.workers,
  });
  expect(thrown.span.startMs).toBe(Date.parse(thrown.record.enteredAt));

  for (const worker of system.fleet.workers) await worker.stop();
  const unclaimed = await failed('100', '4102');
  expect(unclaimed.span).toMatchObject({ service: 'callfleet-ari-gateway', name: 'call.failed' });
  expect(unclaimed.span.attributes).toMatchObject({ 'error.type': 'NOWORKER', 'callfleet.status': 'NOWORKER' });
  expect(unclaimed.span.traceId).not.toBe(thrown.span.traceId);

  await wait(500);
  expect(
    system.collector.spans().map(({ name }) => name),
    'and nothing else',
  ).toEqual(['call.failed', 'call.failed']);
});

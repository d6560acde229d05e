import { setTimeout as wait } from 'node:timers/promises';
import { FALLBACK_TONE_HZ, placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const COMMAND_TIMEOUT_MS = 2000;

let system: TestFleet;

beforeAll(async () => {
  system = await startTestFleet({
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    workers: 1,
    config: { gateway: { claimTimeoutMs: 1000, commandTimeoutMs: COMMAND_TIMEOUT_MS } },
  });
});
afterAll(() => system?.stop());

async function callTo(extension: string, from: string, hangUp?: { cancelAfterMs: number }) {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  return placeCall({ to: pbx.sipAddress, extension, from, ...(hangUp && { hangUp }) });
}

test('a caller whose program failed reaches the fallback of the dialplan', async () => {
  const call = await callTo('600', '3001');
  await call.waitForTone(FALLBACK_TONE_HZ, 10_000);
  await call.hangUp();
  expect(await system.recordOf('3001')).toMatchObject({
    endedBy: 'error',
    status: 'PROGRAM_FAILED',
    program: { name: 'throws', version: expect.stringMatching(/^[0-9a-f]{12}$/) },
    workers: [expect.stringMatching(/^worker-1/)],
    takeovers: 0,
    error: { code: 'CF_PROGRAM_FAILED', message: 'this program is broken' },
  });
  await system.expectNothingLeft();
});

test('a caller to an extension that no program is for reaches the fallback', async () => {
  const call = await callTo('999', '3002');
  await call.waitForTone(FALLBACK_TONE_HZ, 10_000);
  await call.hangUp();
  expect(await system.recordOf('3002')).toMatchObject({
    program: { name: 'none' },
    endedBy: 'dialplan',
    status: 'NOPROGRAM',
  });
  await system.expectNothingLeft();
});

test('a caller whom no worker takes reaches the fallback within the claim time-out', async () => {
  for (const worker of system.fleet.workers) await worker.stop();
  const call = await callTo('100', '3003');
  await call.waitForTone(FALLBACK_TONE_HZ, 10_000);
  await call.hangUp();
  const record = await system.recordOf('3003');
  expect(record).toMatchObject({
    called: { number: '100' },
    endedBy: 'dialplan',
    status: 'NOWORKER',
    workers: [],
    takeovers: 0,
    media: [],
  });
  for (const absent of ['program', 'answeredAt', 'talkMs', 'botMs', 'digits'])
    expect(record).not.toHaveProperty(absent);
  expect(record.ringMs, 'the claim time-out').toBeGreaterThanOrEqual(900);
  await system.expectNothingLeft();
});

test('a caller whose PBX stands still when they are to be given back reaches the fallback when it goes on', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await callTo('100', '3006');
  await expect.poll(() => system.leftovers(pbx)).toHaveLength(1);
  process.kill(pbx.pid, 'SIGSTOP');
  try {
    // The claim time-out, and the first commands' time-out.
    await wait(1000 + COMMAND_TIMEOUT_MS + 1000);
  } finally {
    process.kill(pbx.pid, 'SIGCONT');
  }
  await call.waitForTone(FALLBACK_TONE_HZ, 15_000);
  await call.hangUp();
  expect(await system.recordOf('3006')).toMatchObject({ endedBy: 'dialplan', status: 'NOWORKER', workers: [] });
  await system.expectNothingLeft();
});

test('a caller who hangs up before any worker has the call has a record too', async () => {
  const call = await callTo('100', '3004', { cancelAfterMs: 300 });
  expect(await call.finished).toMatchObject({ answered: false });
  const record = await system.recordOf('3004');
  expect(record).toMatchObject({ endedBy: 'caller', workers: [], cause: { code: expect.any(Number) } });
  expect(record).not.toHaveProperty('status');
  expect(record.ringMs).toBeLessThan(1000);
  expect(await system.recordCount(), 'one record for each call').toBe(5);
  await system.expectNothingLeft();
});

test('a caller whom no gateway serves reaches the fallback at once', async () => {
  for (const gateway of system.fleet.gateways) await gateway.stop();
  const call = await callTo('100', '3005');
  await call.waitForTone(FALLBACK_TONE_HZ, 10_000);
  await call.hangUp();
  const [pbx] = system.pbxs;
  await expect.poll(() => (pbx ? system.leftovers(pbx) : ['no PBX'])).toEqual([]);
});

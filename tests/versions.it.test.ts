import { setTimeout as wait } from 'node:timers/promises';
import { FALLBACK_TONE_HZ, placeCall } from '@callfleet/testkit';
import { expect, test } from 'vitest';
import { shareFleet } from './shared-fleet.ts';
import { TESTS, type TestFleet } from './test-fleet.ts';

const V1 = { name: 'menu', version: 'v1', file: `${TESTS}/programs/long-menu.ts` };
const V2 = { name: 'menu', version: 'v2', file: `${TESTS}/programs/long-menu-2.ts` };
const EXTENSION = '700';

let system: TestFleet;
let callers = 8000;
let recordsBefore = 0;

// No workers: each test starts its own, and those that are left are stopped before the next.
shareFleet(
  () => ({
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    gateways: 1,
    workers: 0,
    config: { worker: { drainMs: 0, sessionTtlMs: 2000 }, gateway: { claimTimeoutMs: 2000 } },
  }),
  async (whole) => {
    system = whole;
    recordsBefore = await system.recordCount();
  },
);

/** A worker that gives new calls to one version, and only goes on with calls of the others. */
function startWorker(name: string, forNewCalls: typeof V1, ...onlyTakeovers: Array<typeof V1>) {
  const programs = [
    ...onlyTakeovers.map((program) => ({ ...program, extensions: [] })),
    { ...forNewCalls, extensions: [EXTENSION] },
  ];
  return system.fleet.addWorker(name, { CALLFLEET_PROGRAMS: JSON.stringify(programs) });
}

async function placeCalls(count: number) {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  return Promise.all(
    Array.from({ length: count }, async () => {
      callers += 1;
      const from = String(callers);
      const call = await placeCall({ to: pbx.sipAddress, extension: EXTENSION, from });
      await call.answered;
      return { call, from };
    }),
  );
}

/** The leases of a worker that died stay until they run out, when nobody took its calls over. */
async function expectPbxIsClear() {
  for (const pbx of system.pbxs) await expect.poll(() => system.leftovers(pbx), { timeout: 10_000 }).toEqual([]);
}

const named = (...workers: string[]) => workers.map((worker) => expect.stringMatching(new RegExp(`^${worker}`)));

test('calls that v1 has begun go on in v1, however often their worker dies, while v2 has room and takes the new ones', async () => {
  const first = await startWorker('first', V1);
  const old = await placeCalls(6);
  await startWorker('next', V2);
  const second = await startWorker('second', V2, V1);
  for (const { call } of old) call.sendDtmf('1');
  await wait(700);
  await first.kill();
  for (const { call } of old) call.sendDtmf('2');
  const fresh = await placeCalls(6);
  await wait(1500);
  await startWorker('third', V2, V1);
  // Stopped, not killed: it hands its calls over.
  expect(await second.stop()).toBe(0);
  for (const { call } of old) call.sendDtmf('3');
  await wait(1500);
  for (const { call } of old) call.sendDtmf('4');
  for (const { call } of fresh) call.sendDtmf('1234');

  for (const { call, from } of old) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(from);
    expect(record, record.error?.message).not.toHaveProperty('error');
    expect(record).toMatchObject({
      program: { name: 'menu', version: 'v1' },
      workers: named('first', 'second', 'third'),
      takeovers: 2,
      endedBy: 'program',
      digits: 4,
    });
  }
  for (const { call, from } of fresh) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(from);
    expect(record, record.error?.message).not.toHaveProperty('error');
    expect(record).toMatchObject({ program: { name: 'menu', version: 'v2' }, endedBy: 'program' });
  }
  expect(await system.recordCount(), 'one record for each call').toBe(recordsBefore + old.length + fresh.length);
  await system.expectNothingLeft();
}, 90_000);

test('when no worker has v1 any more its callers go to the fallback, and new calls to v2', async () => {
  const first = await startWorker('first', V1);
  const old = await placeCalls(4);
  await startWorker('next', V2);
  await first.kill();
  await Promise.all(old.map(({ call }) => call.waitForTone(FALLBACK_TONE_HZ, 10_000)));
  for (const { call, from } of old) {
    await call.hangUp();
    expect(await system.recordOf(from)).toMatchObject({
      program: { name: 'menu', version: 'v1' },
      workers: named('first'),
      takeovers: 0,
      endedBy: 'dialplan',
      status: 'NOWORKER',
      answeredAt: expect.any(String),
      talkMs: expect.any(Number),
    });
  }
  const [fresh] = await placeCalls(1);
  fresh?.call.sendDtmf('1234');
  expect(await fresh?.call.finished).toMatchObject({ hungUpBy: 'callee' });
  expect(await system.recordOf(fresh?.from ?? '')).toMatchObject({
    program: { version: 'v2' },
    workers: named('next'),
  });
  expect(await system.recordCount(), 'one record for each call').toBe(recordsBefore + old.length + 1);
  await expectPbxIsClear();
});

test('a caller who hangs up when the worker is gone, and no other has its version, has one record', async () => {
  const first = await startWorker('first', V1);
  const [old] = await placeCalls(1);
  await startWorker('next', V2);
  await first.kill();
  await old?.call.hangUp();
  expect(await system.recordOf(old?.from ?? '')).toMatchObject({
    program: { version: 'v1' },
    workers: named('first'),
    endedBy: 'caller',
    cause: { code: 16 },
  });
  expect(await system.recordCount()).toBe(recordsBefore + 1);
  await expectPbxIsClear();
});

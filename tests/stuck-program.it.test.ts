import { setTimeout as wait } from 'node:timers/promises';
import { type Asterisk, FALLBACK_TONE_HZ, placeCall } from '@callfleet/testkit';
import { expect, test } from 'vitest';
import { shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';

let system: TestFleet;
let callers = 6000;

shareFleet(
  () => ({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
    workers: 1,
    config: { worker: { programMemoryMb: 64 } },
  }),
  (whole) => {
    system = whole;
  },
);

function pbx(): Asterisk {
  const [only] = system.pbxs;
  if (!only) throw new Error('no PBX');
  return only;
}

async function callTo(extension: string, toneHz = 440) {
  callers += 1;
  const from = String(callers);
  const call = await placeCall({ to: pbx().sipAddress, extension, from, audio: { toneHz } });
  await call.answered;
  return { call, from, toneHz };
}

/** CALLFLEET_STATUS of the only channel that is left on the PBX. */
async function statusOfTheOnlyChannel(): Promise<string> {
  const authorization = `Basic ${btoa(`${pbx().username}:${pbx().password}`)}`;
  const get = async <T>(path: string) =>
    (await (await fetch(`${pbx().httpUrl}/ari/${path}`, { headers: { authorization } })).json()) as T;
  const channels = await get<Array<{ id: string }>>('channels');
  expect(channels).toHaveLength(1);
  return (await get<{ value: string }>(`channels/${channels[0]?.id}/variable?variable=CALLFLEET_STATUS`)).value;
}

/**
 * Callers of other programs, in both threads, who must not notice what is done to the threads: half talk with a bot, half
 * press digits, two before and two after.
 */
async function bystandersOf(disturbance: () => Promise<void>): Promise<void> {
  const talking = await Promise.all([0, 1, 2, 3].map((n) => callTo('100', 500 + n * 90)));
  const pressing = await Promise.all([0, 1, 2, 3].map(() => callTo('700')));
  await Promise.all(talking.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  for (const { call } of pressing) call.sendDtmf('12');
  await wait(1000);
  const pid = system.fleet.workers[0]?.pid;
  const disturbedAt = talking.map(({ call }) => call.now());

  await disturbance();

  for (const { call } of pressing) call.sendDtmf('34');
  for (const { call, from } of pressing) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ program: { name: 'long-menu' }, endedBy: 'program', digits: 4, takeovers: 0 });
    expect(record, record.error?.message).not.toHaveProperty('error');
  }
  for (const [n, { call, toneHz }] of talking.entries()) {
    expect(call.heard.longestSilenceMs({ fromMs: disturbedAt[n] ?? 0, toMs: call.now() })).toBeLessThan(1000);
    await call.waitForTone(toneHz, 2000);
    await call.hangUp();
  }
  for (const { from } of talking) {
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller', takeovers: 0 });
    expect(record.media).toHaveLength(1);
  }
  expect(system.fleet.workers[0]?.pid).toBe(pid);
  expect(system.complaints.filter((line) => /ended by itself \(exit/.test(line))).toEqual([]);
  await system.expectNothingLeft();
}

test.each([
  { what: 'that spins', extension: '901', program: 'spins', isCertain: true },
  { what: 'that spins in a step, after an await', extension: '902', program: 'spins-in-step', isCertain: true },
  // The last straw may be a small thing that another call's program wants: then that one is tried first.
  { what: 'that eats all memory', extension: '906', program: 'eats-memory', isCertain: false },
])(
  'the caller of a program $what reaches the fallback, and nobody else notices',
  async ({ extension, program, isCertain }) => {
    let stuck = '';
    await bystandersOf(async () => {
      const { call, from } = await callTo(extension);
      await call.waitForTone(FALLBACK_TONE_HZ, 20_000);
      await call.hangUp();
      const record = await system.recordOf(from);
      expect(record).toMatchObject({
        program: { name: program },
        endedBy: 'error',
        takeovers: 0,
        error: { code: 'CF_PROGRAM_STUCK' },
      });
      stuck = record.call;
    });
    const suspected = system.complaints.filter((line) => line.includes('call.thread-lost'));
    expect(suspected.filter((line) => line.includes(stuck))).toEqual([
      expect.stringContaining('"next":"alone"'),
      expect.stringContaining('"next":"given back"'),
    ]);
    const others = suspected.filter((line) => !line.includes(stuck));
    expect(others.filter((line) => !line.includes('"next":"alone"'))).toEqual([]);
    if (isCertain) expect(others, 'no other call is even suspected').toEqual([]);
  },
);

test('the dialplan reads PROGRAM_STUCK in CALLFLEET_STATUS, and what was made for the call is gone', async () => {
  const { call } = await callTo('901');
  await call.waitForTone(FALLBACK_TONE_HZ, 20_000);
  await expect.poll(statusOfTheOnlyChannel).toBe('PROGRAM_STUCK');
  await call.hangUp();
  await system.expectNothingLeft();
});

test('a program that is under suspicion once, and then does well, keeps its caller', async () => {
  const { call, from } = await callTo('903');
  await wait(3000);
  call.sendDtmf('1');
  expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
  const record = await system.recordOf(from);
  expect(record).toMatchObject({ endedBy: 'program', digits: 1, takeovers: 0 });
  expect(record, record.error?.message).not.toHaveProperty('error');
  expect(system.complaints.join('\n')).toMatch(/program-thread\.lost/);
  await system.expectNothingLeft();
});

test('a caller who hangs up on a stuck program leaves nothing', async () => {
  const { call, from } = await callTo('901');
  await wait(1200);
  await call.hangUp();
  expect(await system.recordOf(from)).toMatchObject({ error: { code: 'CF_PROGRAM_STUCK' } });
  await system.expectNothingLeft();
});

test('an exception that nobody catches costs no call, not even its own', async () => {
  await bystandersOf(async () => {
    const { call, from } = await callTo('905');
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ program: { name: 'stray-exception' }, endedBy: 'program', takeovers: 0 });
    expect(record, record.error?.message).not.toHaveProperty('error');
  });
  expect(system.complaints.filter((line) => line.includes('program-thread.lost'))).toEqual([
    expect.stringContaining('nobody catches this'),
  ]);
});

test('a promise that fails while nobody waits for it is a warning that names the call, and harms nobody', async () => {
  await bystandersOf(async () => {
    const { call, from } = await callTo('904');
    await wait(500);
    call.sendDtmf('1');
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const { call: id, ...record } = await system.recordOf(from);
    expect(record).toMatchObject({ endedBy: 'program', digits: 1 });
    const warnings = system.complaints.filter((line) => line.includes('program.unhandled-rejection'));
    expect(warnings).toEqual([expect.stringContaining(id)]);
    expect(warnings[0]).toContain('nobody waits for this');
  });
  expect(system.complaints.join('\n')).not.toMatch(/program-thread\.lost/);
});

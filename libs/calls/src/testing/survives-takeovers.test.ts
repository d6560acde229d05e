import { expect, test } from 'vitest';
import { defineCall } from '../mod.ts';
import { simulateCall, survivesTakeovers } from './mod.ts';

const PRESSES_2 = { caller: { does: [{ at: 'gather', after: 2000, press: '2' }] } };

test('a program that reaches the outside world through operations alone survives its worker at any step', async () => {
  const program = defineCall(async (call) => {
    await call.answer();
    const { digits } = await call.gather({ prompt: 'sound:hello-world' });
    const customer = await call.step('look the caller up', () => ({ digits }));
    await call.play(`digits:${customer.digits}`);
    if ((await call.random()) < 0.5) await call.play('sound:low');
    if ((await call.now()) % 2 === 0) await call.play('sound:even');
    const dialed = await call.dial(['PJSIP/a', 'PJSIP/b']);
    if (dialed.answered) await (await call.bridge(dialed.leg)).ended();
  });
  const options = {
    ...PRESSES_2,
    endpoints: { 'PJSIP/a': 'busy', 'PJSIP/b': { afterMs: 3000, does: [{ after: 5000, hangUp: true }] } },
  } as const;
  const takeovers = await survivesTakeovers(program, options);
  expect(takeovers).toBeGreaterThan(20);
});

test('a call that is placed is dialled once, whenever its worker dies', async () => {
  const program = defineCall(async (call) => {
    await call.gather({ prompt: 'sound:hello-world' });
  });
  for (const callee of ['answers', 'busy'] as const) {
    const options = { ...PRESSES_2, direction: 'outbound', callee } as const;
    expect(await survivesTakeovers(program, options)).toBeGreaterThan(4);
  }
});

for (const [what, choose] of [
  ['Date.now()', () => Date.now() % 2 === 0],
  ['the hour', () => new Date().getHours() < 18],
  ['the weekday', () => new Date().getDay() < 5],
  ['Math.random()', () => Math.random() < 0.5],
] as const)
  test(`a program that decides by ${what} is caught, and told what to use`, async () => {
    const program = defineCall(async (call) => {
      choose();
      await call.answer();
      await (choose() ? call.play('sound:hello-world') : call.sleep(1000));
      await call.play('sound:vm-goodbye');
    });
    const failure = survivesTakeovers(program, { at: '2026-01-01T12:00:00Z' });
    await expect(failure).rejects.toThrow(
      /does not survive a takeover \(killed at step \d+ of \d+, after .*operation 2/,
    );
    await expect(failure).rejects.toThrow(/call\.now\(\)/);
    await simulateCall(program).ended();
  });

test('a step may look at the time and at chance', async () => {
  const program = defineCall(async (call) => {
    const lot = await call.step('draw lots', () => Math.random() + (Date.now() % 7));
    await (lot < 3 ? call.play('sound:low') : call.sleep(1000));
  });
  await expect(survivesTakeovers(program)).resolves.toBeGreaterThan(5);
});

test('a program that keeps a count of its own between calls is caught', async () => {
  let calls = 0;
  const program = defineCall(async (call) => {
    calls += 1;
    await call.answer();
    if (calls > 3) await call.play('sound:hello-world');
  });
  await expect(survivesTakeovers(program)).rejects.toThrow(/module variable that changes/);
});

test('what happens in the call can be told by a script', async () => {
  const program = defineCall(async (call) => {
    await call.answer();
    const { digits } = await call.gather({ prompt: 'sound:hello-world', count: 2 });
    await call.play(`digits:${digits}`);
    await call.sleep(60_000);
  });
  let runs = 0;
  const takeovers = await survivesTakeovers(program, {}, async (call) => {
    runs += 1;
    await call.waitFor('play sound:hello-world');
    call.press('4');
    await call.advance(500);
    call.press('2');
    await call.waitFor('play digits:42');
    call.hangUp();
  });
  expect(runs).toBe(takeovers + 1);
});

test('a program that fails undisturbed is told so, and Date is what it was', async () => {
  const { Date: before } = globalThis;
  const waits = defineCall((call) =>
    call
      .answer()
      .then(() => call.next('hold'))
      .then(() => {}),
  );
  await expect(survivesTakeovers(waits)).rejects.toThrow(/the call does not end/);
  expect(globalThis.Date).toBe(before);
  expect(new Date()).toBeInstanceOf(Date);
});

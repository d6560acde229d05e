import { setTimeout as realTime } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defineCall } from '../mod.ts';
import { simulateCall } from './mod.ts';

const greets = defineCall(async (call) => {
  await call.answer();
  await call.play('sound:hello-world');
});

test('a test goes along with the program, and reads afterwards what was done', async () => {
  const call = simulateCall(
    defineCall(async (it) => {
      await it.answer();
      const { digits } = await it.gather({ prompt: 'sound:hello-world' });
      if (digits === '1') await (await it.connect('parrot')).ended();
    }),
  );
  await call.waitFor('play sound:hello-world');
  await call.advance(2100);
  call.press('1');
  await call.waitFor('connect');
  await call.advance(3000);
  call.hangUp();
  const outcome = await call.ended();
  expect(call.transcript).toEqual([
    '0.000 answer',
    '0.000 gather',
    '0.000 play sound:hello-world',
    '2.100 caller presses 1',
    '2.100 connect parrot',
    '2.100 conversation.ended',
    '5.100 caller hangs up',
  ]);
  expect(outcome.endedBy).toBe('caller');
});

test('a call that was placed has been answered when its program begins', async () => {
  const told: unknown[] = [];
  const asks = defineCall(async (it) => {
    told.push(it.direction, it.called.number);
    await it.gather({ prompt: 'sound:press-1-to-accept' });
  });
  const call = simulateCall(asks, { direction: 'outbound', called: { number: '+4930123' } });
  await call.waitFor('play');
  call.press('1');
  expect(await call.ended()).toMatchObject({ endedBy: 'program', answeredAt: expect.any(String) });
  expect(told).toEqual(['outbound', '+4930123']);
});

test('a step that is done for real is waited for, while simulated time stands still', async () => {
  const call = simulateCall(
    defineCall(async (it) => {
      const found = await it.step('look up', () => realTime(20, 'found'), { timeoutMs: 10 });
      await it.setVariable('FOUND', found);
    }),
  );
  await call.ended();
  expect(call.transcript).toEqual(['0.000 step look up', '0.000 setVariable FOUND=found', '0.000 hangup']);
});

test('a step that hangs does not stop time', async () => {
  const call = simulateCall(
    defineCall(async (it) => {
      await it
        .step('hang', () => new Promise(() => {}), { timeoutMs: 500 })
        .catch((error) => it.play(`characters:${error.code}`));
    }),
    { stepPatienceMs: 10 },
  );
  await call.ended();
  expect(call.transcript).toContain('0.500 play characters:CF_TIMED_OUT');
});

test('a time that is none is refused', () => {
  expect(() => simulateCall(greets, { at: 'noon' })).toThrow('"at" is no time: "noon"; accepted: ISO 8601');
});

describe('a program that fails', () => {
  test('throws: the outcome has its words, and the caller goes to the fallback', async () => {
    const call = simulateCall(
      defineCall(async () => {
        throw new RangeError('out of luck');
      }),
    );
    expect(await call.ended()).toMatchObject({ endedBy: 'error', error: { message: 'out of luck' } });
    expect(call.thrown).toBeInstanceOf(RangeError);
    expect(call.transcript).toEqual(['0.000 setVariable CALLFLEET_STATUS=PROGRAM_FAILED', '0.000 continueInDialplan']);
  });

  test('never does what is waited for: the error says what it did instead', async () => {
    const call = simulateCall(greets);
    await expect(call.waitFor('play sound:goodbye')).rejects.toThrow(
      'the call ended before "play sound:goodbye".\nWhat was done:\n  0.000 answer\n  0.000 play sound:hello-world\n  1.000 hangup',
    );
  });

  test('takes too long, or waits for what will never come', async () => {
    const sleeps = simulateCall(defineCall((it) => it.sleep(5000)));
    await expect(sleeps.waitFor('hangup', { withinMs: 4000 })).rejects.toThrow('"hangup" did not come within 4000 ms');
    const waits = () => simulateCall(defineCall(async (it) => void (await it.next('hold'))));
    await expect(waits().waitFor('hangup')).rejects.toThrow(/"hangup" will not come: the program waits/);
    await expect(waits().ended()).rejects.toThrow(/the call does not end: .*nothing more is scripted/);
    const loops = simulateCall(
      defineCall(async (it) => {
        for (;;) await it.play('sound:hello-world');
      }),
    );
    await expect(loops.ended({ withinMs: 10_000 })).rejects.toThrow(/does not end within 10000 ms/);
  });

  test('goes on when its caller has hung up', async () => {
    const call = simulateCall(greets);
    await call.waitFor('play');
    call.hangUp();
    expect(() => call.press('1')).toThrow("caller can't press: caller has hung up, or was hung up");
    await call.ended();
  });
});

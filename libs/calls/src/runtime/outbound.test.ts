import { describe, expect, test } from 'vitest';
import type { Call } from '../call.ts';
import { CallCancelledError } from '../errors.ts';
import type { CallOutcome } from './call-runtime.ts';
import { ScriptedCall, settle } from './scripted-call.ts';

const CHANNEL = '1763701200.12';
const DIAL = { endpoint: 'PJSIP/alice', ringTimeoutMs: 20_000, callerId: { number: '4711' }, variables: { A: 'b' } };
const DIALLED = [`POST channels/create`, `POST channels/${CHANNEL}/dial`];

type Callee = (call: ScriptedCall) => void;

const answers: Callee = (call) => call.tell('ChannelStateChange', { channel: { id: CHANNEL, state: 'Up' } });
const endsWith =
  (cause: number): Callee =>
  (call) => {
    call.tell('StasisEnd');
    call.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause, cause_txt: 'told' });
  };

/** A call that is placed; whoever is called does this when it rings. */
function placed(callee: Callee = () => {}): ScriptedCall {
  const call = new ScriptedCall({ dial: DIAL });
  call.answers['POST /channels/create'] = () => {
    call.tell('StasisStart', { channel: { id: CHANNEL, state: 'Down' } });
    return { status: 200 };
  };
  call.answers['POST /channels/{channelId}/dial'] = () => {
    setImmediate(() => callee(call));
    return { status: 204 };
  };
  return call;
}

const plays = async (call: Call) => {
  await call.setVariable('X', 'y');
};
const never = async () => {
  throw new Error('its program began');
};

test('the endpoint is dialled as the first operation, and the program begins with the answer', async () => {
  const call = placed(answers);
  const asked: unknown[] = [];
  const create = call.answers['POST /channels/create'];
  call.answers['POST /channels/create'] = (request) => {
    asked.push({ ...request.query, ...(request.body as object) });
    return create?.(request) ?? { status: 500 };
  };
  const outcome = await call.run(async (it) => {
    expect(call.commands).toEqual(DIALLED);
    await plays(it);
  });
  expect(asked).toMatchObject([{ endpoint: 'PJSIP/alice', channelId: CHANNEL, appArgs: 'callfleet-originated' }]);
  expect(asked[0], 'nobody else calls').not.toHaveProperty('originator');
  expect(call.journal[0]).toMatchObject({ operation: 1, kind: 'note' });
  expect(call.journal[1]).toMatchObject({ operation: 1, name: 'originate', value: { outcome: 'answered' } });
  expect(outcome).toMatchObject({ endedBy: 'program', dialed: 'answered' });
});

test.each([
  [17, 'busy'],
  [19, 'no-answer'],
  [21, 'rejected'],
  [38, 'unreachable'],
] as const)('a callee who does not answer, cause %i: the program does not begin', async (cause, dialed) => {
  const outcome = await placed(endsWith(cause)).run(never);
  expect(outcome).toMatchObject({ endedBy: 'unanswered', dialed, cause: { code: cause } });
  expect(outcome).not.toHaveProperty('error');
});

test('who does not answer in time is hung up', async () => {
  const call = placed();
  const outcome = call.run(never);
  await call.advance(19_000);
  expect(call.commands).toEqual(DIALLED);
  await call.advance(2000);
  expect(await outcome).toMatchObject({ endedBy: 'unanswered', dialed: 'no-answer' });
  expect(call.commands).toContain(`DELETE channels/${CHANNEL}`);
});

test('the time to answer goes on under another worker', async () => {
  const call = placed();
  const outcome = call.run(never);
  await call.advance(15_000);
  call.takeOver();
  await call.advance(6000);
  expect(await outcome).toMatchObject({ dialed: 'no-answer' });
});

test('an endpoint that the PBX has no way to is unreachable, and nothing is waited for', async () => {
  const call = placed();
  call.answers['POST /channels/create'] = () => ({ status: 500, reason: 'Allocation failed' });
  call.answers['DELETE /channels/{channelId}'] = () => ({ status: 404 });
  expect(await call.run(never)).toMatchObject({ endedBy: 'unanswered', dialed: 'unreachable' });
});

test('a program that throws has its callee hung up: no dialplan would know what to do with them', async () => {
  const call = placed(answers);
  const outcome = await call.run(async () => {
    throw new Error('out of luck');
  });
  expect(outcome).toMatchObject({ endedBy: 'error', dialed: 'answered', error: { message: 'out of luck' } });
  expect(call.commands.slice(2)).toEqual([`DELETE channels/${CHANNEL}`]);
});

describe('a call that is cancelled', () => {
  const isCancelled = { endedBy: 'cancelled', dialed: 'cancelled' };

  test('before it is dialled is not', async () => {
    const call = placed();
    call.answers['POST /channels/create'] = () => {
      throw new CallCancelledError('it was cancelled');
    };
    call.answers['DELETE /channels/{channelId}'] = () => ({ status: 404 });
    const outcome = await call.run(never);
    expect(outcome).toMatchObject(isCancelled);
    expect(outcome).not.toHaveProperty('error');
  });

  test('while it is made is not dialled, and is hung up', async () => {
    const call = placed();
    call.answers['POST /channels/{channelId}/dial'] = () => {
      call.tell('call.cancelled', {});
      throw new CallCancelledError('it was cancelled');
    };
    expect(await call.run(never)).toMatchObject(isCancelled);
    expect(call.commands).toContain(`DELETE channels/${CHANNEL}`);
  });

  test('while it rings is no call that was not answered', async () => {
    const call = placed((it) => {
      it.tell('call.cancelled', {});
      endsWith(16)(it);
    });
    expect(await call.run(never)).toMatchObject({ ...isCancelled, cause: { code: 16 } });
  });

  test('before its next worker has it is not dialled by that one', async () => {
    const call = placed();
    call.answers['POST /channels/create'] = () => ({ status: 200 });
    const outcome = call.run(never);
    await call.advance(100);
    call.tell('call.cancelled', {});
    call.takeOver();
    call.answers['DELETE /channels/{channelId}'] = () => ({ status: 404 });
    expect(await outcome).toMatchObject(isCancelled);
    expect(call.commands).not.toContain(`POST channels/${CHANNEL}/dial`);
  });

  test('after the answer was answered, and its program sees its end', async () => {
    const call = placed(answers);
    const outcome = call.run(async (it) => {
      call.tell('call.cancelled', {});
      endsWith(16)(call);
      await it.sleep(1000);
    });
    await call.advance(2000);
    expect(await outcome).toMatchObject({ endedBy: 'cancelled', dialed: 'answered', cause: { code: 16 } });
  });

  test('when its program has hung up was ended by that', async () => {
    const call = placed(answers);
    const outcome = call.run(async (it) => {
      await it.hangup();
      call.tell('call.cancelled', {});
    });
    await call.advance(10_000);
    expect(await outcome).toMatchObject({ endedBy: 'program', dialed: 'answered' });
  });
});

test('a callee who was gone when the worker died is not called again, though nobody remembers the commands', async () => {
  const call = placed();
  const outcome = call.run(never);
  await call.advance(1000);
  call.killAtStep = call.steps + 1;
  endsWith(17)(call);
  await settle();
  expect(call.isOwnerAlive).toBe(false);
  call.forgetCommands();
  call.takeOver();
  await settle(20);
  expect(await outcome).toMatchObject({ endedBy: 'unanswered', dialed: 'busy' });
  expect(call.commands).toEqual(DIALLED);
});

describe.each([
  ['answers', answers, plays, 'program'],
  ['is busy', endsWith(17), never, 'unanswered'],
] as const)('killed at any step, of a call whose callee %s,', (_, callee, program, endedBy) => {
  test('the worker is replaced by one that dials nobody twice', async () => {
    const run = async (killAtStep: number): Promise<{ call: ScriptedCall; outcome: CallOutcome }> => {
      const call = placed(callee);
      call.killAtStep = killAtStep;
      const outcome = call.run(program);
      let isOver = false;
      void outcome.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await call.advance(100);
        if (!call.isOwnerAlive) call.takeOver();
      }
      return { call, outcome: await outcome };
    };
    const { steps } = (await run(Number.POSITIVE_INFINITY)).call;
    expect(steps).toBeGreaterThan(5);
    for (let step = 1; step <= steps; step += 1) {
      const { call, outcome } = await run(step);
      expect(
        call.commands.filter((command) => DIALLED.includes(command)),
        `step ${step}`,
      ).toEqual(DIALLED);
      expect(outcome, `step ${step}`).toMatchObject({ endedBy });
      expect(outcome, `step ${step}`).not.toHaveProperty('error');
    }
  });
});

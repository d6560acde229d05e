import { AriBusyError, AriClosedError, AriTimeoutError } from '@callfleet/ari';
import type { Command, Offer } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { beforeEach, describe, expect, test } from 'vitest';
import { CommandRefusedError } from '../commands/command-refused-error.ts';
import type { GuardedRequester } from '../commands/pbx-guard.ts';
import { CommandExecutor } from './command-executor.ts';
import { LiveCalls } from './live-call.ts';

const CALL = callIdOf('pbx-a', '1763701200.12');

let executed: string[];
let claimed: string[];
let calls: LiveCalls;
let answer: () => Promise<{ status: number; reason: string }>;
/** When a command's turn comes. */
let turns: Promise<void> | undefined;
let executor: CommandExecutor;

beforeEach(() => {
  executed = [];
  turns = undefined;
  claimed = [];
  calls = new LiveCalls();
  answer = async () => ({ status: 204, reason: 'No Content' });
  const ari = {
    request: async (request, { beforeSend } = {}) => {
      await turns;
      beforeSend?.();
      executed.push(request.path);
      return answer();
    },
  } as GuardedRequester;
  executor = new CommandExecutor({
    pbx: 'pbx-a',
    shard: 'callfleet-1',
    calls,
    places: { counted: (_call, _request, send) => send() },
    ari,
    timeoutMs: 1000,
    onClaimed: (call, worker) => {
      call.worker = worker;
      claimed.push(`${worker} has ${call.id}`);
    },
    onDone: () => {},
    onReleased: () => {},
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
  });
});

const command = (id: string, epoch = 1): Command => ({
  kind: 'ari',
  call: CALL,
  epoch,
  id,
  request: { method: 'POST', route: '/channels/{channelId}/answer', path: `channels/x/${id}`, query: {} },
});

describe('a command', () => {
  test('is executed, and answered with what the PBX said', async () => {
    expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: true, status: 204 });
    expect(executed).toEqual(['channels/x/1.1']);
  });

  test('that is repeated is answered from memory, also while the first is under way', async () => {
    const replies = await Promise.all([
      executor.execute(command('1.1'), ROOT_CONTEXT),
      executor.execute(command('1.1'), ROOT_CONTEXT),
    ]);
    replies.push(await executor.execute(command('1.1'), ROOT_CONTEXT));
    expect(replies.map((reply) => reply.ok)).toEqual([true, true, true]);
    expect(executed).toHaveLength(1);
  });

  test('of a worker that has lost the call is refused, and counted', async () => {
    await executor.execute(command('1.1', 2), ROOT_CONTEXT);
    expect(await executor.execute(command('1.2', 1), ROOT_CONTEXT)).toMatchObject({
      ok: false,
      code: 'CF_COMMAND_FENCED',
    });
    expect(executed).toEqual(['channels/x/1.1']);
    expect(executor.fenced).toBe(1);
  });

  test('for a call that went back to the dialplan is refused', async () => {
    calls.get(CALL).released = true;
    expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: false, code: 'CF_CALL_RELEASED' });
    expect(executed).toEqual([]);
  });

  test('that was not sent, to spare the PBX, is executed when it comes again', async () => {
    answer = () => Promise.reject(new CommandRefusedError('CF_BREAKER_OPEN', 'the PBX is down'));
    const replies = await Promise.all([
      executor.execute(command('1.1'), ROOT_CONTEXT),
      executor.execute(command('1.1'), ROOT_CONTEXT),
    ]);
    expect(replies).toEqual(Array(2).fill({ ok: false, code: 'CF_BREAKER_OPEN', message: 'the PBX is down' }));
    answer = async () => ({ status: 204, reason: 'No Content' });
    for (let n = 0; n < 2; n++)
      expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: true, status: 204 });
    expect(executed, 'refused once, executed once').toHaveLength(2);
  });

  test('that waited until its worker had lost the call is not executed', async () => {
    const turn = Promise.withResolvers<void>();
    turns = turn.promise;
    const waiting = executor.execute(command('1.1', 1), ROOT_CONTEXT);
    await executor.execute({ kind: 'claim', call: CALL, epoch: 2, worker: 'worker-2' }, ROOT_CONTEXT);
    turn.resolve();
    expect(await waiting).toMatchObject({ ok: false, code: 'CF_COMMAND_FENCED' });
    expect(executed).toEqual([]);
    expect(await executor.execute(command('1.1', 2), ROOT_CONTEXT), 'its heir may').toMatchObject({ ok: true });
  });

  test('that waited, and that its new worker asked for meanwhile, is executed once, for both', async () => {
    const turn = Promise.withResolvers<void>();
    turns = turn.promise;
    const replies = [1, 2].map((epoch) => executor.execute(command('1.1', epoch), ROOT_CONTEXT));
    turn.resolve();
    expect(await Promise.all(replies)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(executed).toHaveLength(1);
  });

  test('that waited until the call went back to the dialplan is not executed', async () => {
    const turn = Promise.withResolvers<void>();
    turns = turn.promise;
    const waiting = executor.execute(command('1.1'), ROOT_CONTEXT);
    calls.get(CALL).released = true;
    turn.resolve();
    expect(await waiting).toMatchObject({ ok: false, code: 'CF_CALL_RELEASED' });
    expect(executed).toEqual([]);
  });

  test('that found too many under way was not sent either', async () => {
    answer = () => Promise.reject(new AriBusyError('256 are in flight', { url: 'http://pbx-a:8088' }));
    expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: false, code: 'CF_PBX_BUSY' });
  });

  test('that the PBX does not answer says so, without pretending to know', async () => {
    answer = () => Promise.reject(new AriTimeoutError('no answer', { url: 'http://pbx-a:8088', mayHaveRun: true }));
    expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: false, code: 'CF_PBX_NO_ANSWER' });
  });

  test('whose connection was lost before its answer is executed when it comes again', async () => {
    answer = () => Promise.reject(new AriClosedError('closed', { url: 'http://pbx-a:8088', mayHaveRun: true }));
    const lost = { ok: false, code: 'CF_PBX_CONNECTION_LOST' };
    expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject(lost);
    answer = async () => ({ status: 204, reason: 'No Content' });
    for (let n = 0; n < 2; n++)
      expect(await executor.execute(command('1.1'), ROOT_CONTEXT)).toMatchObject({ ok: true, status: 204 });
    expect(executed, 'lost once, executed once').toHaveLength(2);
  });
});

describe('a media leg', () => {
  const leg: Command = {
    ...command('2.1'),
    kind: 'ari',
    id: '2.1',
    request: {
      method: 'POST',
      route: '/channels/externalMedia',
      path: 'channels/externalMedia',
      query: { channelId: 'leg-1' },
    },
  };

  test('is made at once by the gateway that has had the call from its start', async () => {
    calls.get(CALL).offer = {} as Offer;
    await executor.execute(leg, ROOT_CONTEXT);
    expect(executed).toEqual(['channels/externalMedia']);
  });

  test('is not made twice by one that took the call over: that crashes Asterisk', async () => {
    answer = async () => ({ status: 200, reason: 'OK' });
    expect(await executor.execute(leg, ROOT_CONTEXT)).toMatchObject({ ok: true, status: 409 });
    expect(executed).toEqual(['channels/leg-1']);
  });

  test('is looked for by the gateway that lost the connection while it made it', async () => {
    calls.get(CALL).offer = {} as Offer;
    answer = () => Promise.reject(new AriClosedError('closed', { url: 'http://pbx-a:8088', mayHaveRun: true }));
    await executor.execute(leg, ROOT_CONTEXT);
    answer = async () => ({ status: 200, reason: 'OK' });
    expect(await executor.execute(leg, ROOT_CONTEXT)).toMatchObject({ ok: true, status: 409 });
    expect(executed).toEqual(['channels/externalMedia', 'channels/leg-1']);
  });

  test('is made by one that took the call over, if it is not there', async () => {
    answer = async () => ({ status: 404, reason: 'Not Found' });
    await executor.execute(leg, ROOT_CONTEXT);
    expect(executed).toEqual(['channels/leg-1', 'channels/externalMedia']);
  });
});

test('a claim settles the call without asking the PBX', async () => {
  const reply = await executor.execute({ kind: 'claim', call: CALL, epoch: 1, worker: 'worker-1' }, ROOT_CONTEXT);
  expect(reply.ok).toBe(true);
  expect(claimed).toEqual([`worker-1 has ${CALL}`]);
  expect(executed).toEqual([]);
});

test('of two workers that claim a call under one epoch the first has it', async () => {
  const claim = (worker: string): Command => ({ kind: 'claim', call: CALL, epoch: 1, worker });
  const replies = [];
  for (const worker of ['worker-1', 'worker-2', 'worker-1'])
    replies.push(await executor.execute(claim(worker), ROOT_CONTEXT));
  expect(replies.map(({ ok }) => ok)).toEqual([true, false, true]);
  expect(replies[1]).toMatchObject({ code: 'CF_COMMAND_FENCED' });
});

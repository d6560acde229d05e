import { type AriRequest, type AriRequester, AriTimeoutError } from '@callfleet/ari';
import type { Offer } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DialplanReturn } from './dialplan-return.ts';
import { LiveCall } from './live-call.ts';

const SET = 'POST /channels/{channelId}/variable';
const CONTINUE = 'POST /channels/{channelId}/continue';
const HANG_UP = 'DELETE /channels/{channelId}';
const SILENT = { level: 'silent', format: 'json' } as const;

/** What the PBX answers to its next requests, `'none'` for no answer; 204 when this is empty. */
let answers: Array<number | 'none'>;
let asked: string[];
let call: LiveCall;
let dialplan: DialplanReturn;

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = [];
  call = new LiveCall(callIdOf('pbx-a', '1763701200.12'));
  const ari = {
    request: async ({ method, route }: AriRequest<unknown>) => {
      asked.push(`${method} ${route}`);
      const status = answers.shift() ?? 204;
      if (status === 'none') throw new AriTimeoutError('no answer', { url: 'http://pbx-a', mayHaveRun: true });
      return { ok: status < 300, status, refusal: 'refused' };
    },
  } as unknown as AriRequester;
  dialplan = new DialplanReturn(ari, createLogger('ari-gateway', 'test', SILENT));
});
afterEach(() => {
  vi.useRealTimers();
});

test('a caller is sent back with the reason', async () => {
  expect(await dialplan.send(call, 'NOWORKER')).toBe('back');
  expect(asked).toEqual([SET, CONTINUE]);
});

test('a caller whom the PBX does not answer for is sent back when it answers again', async () => {
  answers = ['none', 'none', 204, 'none', 503, 204, 500];
  const returned = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await returned).toBe('back');
  expect(asked).toEqual([SET, SET, SET, CONTINUE, SET, SET, CONTINUE, SET, CONTINUE]);
});

test('a caller who was sent back by a request that was answered too late is back', async () => {
  answers = [204, 'none', 204, 409];
  const returned = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(1000);
  expect(await returned).toBe('back');

  answers = [204, 'none'];
  const told = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(100);
  call.end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await told).toBe('back');
  expect(asked.slice(4)).toEqual([SET, CONTINUE]);
});

test('a caller who has hung up is gone', async () => {
  answers = [404];
  expect(await dialplan.send(call, 'NOWORKER')).toBe('gone');
  answers = [204, 404];
  expect(await dialplan.send(call, 'NOWORKER')).toBe('gone');

  answers = ['none'];
  const returned = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(100);
  call.progress = { hangingUp: true };
  call.end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await returned).toBe('gone');
});

test('whom we called is hung up', async () => {
  call.offer = { dial: {} } as Offer;
  answers = ['none', 404];
  const returned = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(1000);
  expect(await returned).toBe('back');
  expect(asked).toEqual([HANG_UP, HANG_UP]);
  expect(call.endedAt).toBeDefined();
});

test('when the shard is given up, what is still tried is for whoever has it next', async () => {
  answers = ['none', 'none', 'none', 'none'];
  const returned = dialplan.send(call, 'NOWORKER');
  await vi.advanceTimersByTimeAsync(300);
  dialplan.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await returned).toBe('left');
  expect(asked).toEqual([SET, SET]);
});

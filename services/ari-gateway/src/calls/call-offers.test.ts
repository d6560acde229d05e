import type { AriRequest, AriRequester } from '@callfleet/ari';
import type { Bus, KeptCalls, Offer } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { CallOffers } from './call-offers.ts';
import { LiveCall } from './live-call.ts';

let asked: string[];
let forgotten: string[];
let call: LiveCall;
let offers: CallOffers;

beforeEach(() => {
  asked = [];
  forgotten = [];
  call = new LiveCall(callIdOf('pbx-a', '1763701200.12'));
  call.offer = { call: call.id } as Offer;
  const ari = {
    request: async ({ method, route }: AriRequest<unknown>) => {
      asked.push(`${method} ${route}`);
      return { ok: true, status: 204 };
    },
  } as unknown as AriRequester;
  offers = new CallOffers({
    ari,
    kept: { remove: (id: string) => void forgotten.push(id) } as unknown as KeptCalls,
    bus: {} as Bus,
    gateway: 'gateway-1',
    pbx: 'pbx-a',
    shard: 'one',
    zone: 'a',
    pool: 'default',
    claimTimeoutMs: 1000,
    log: createLogger('ari-gateway', 'test', { level: 'silent', format: 'json' }),
  });
  onTestFinished(() => offers.close());
});

test('of a call that is over, and whose worker is done, nothing is left', async () => {
  call.end();
  offers.leave(call);
  expect(forgotten).toEqual([call.id]);
  await new Promise(setImmediate);
  expect(asked).toEqual([]);
});

test('a caller whose worker is done while they are still there goes back to the dialplan, and is nobody else’s', async () => {
  offers.leave(call);
  expect(forgotten).toEqual([call.id]);
  expect(call.released).toBe(true);
  await expect
    .poll(() => asked)
    .toEqual(['POST /channels/{channelId}/variable', 'POST /channels/{channelId}/continue']);
});

test('whom we called is hung up when the worker is done', async () => {
  call.offer = { call: call.id, dial: {} } as Offer;
  offers.leave(call);
  await expect.poll(() => asked).toEqual(['DELETE /channels/{channelId}']);
  expect(call.endedAt).toBeDefined();
});

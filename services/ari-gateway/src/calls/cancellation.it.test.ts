import type { AriRequester } from '@callfleet/ari';
import {
  type Bus,
  type CallRecord,
  cancelCall,
  connectBus,
  EventOutbox,
  ensureStreams,
  KeptCalls,
  type Offer,
  subjects,
} from '@callfleet/bus';
import { callIdOf, originatedChannelId } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ChannelIndex } from '../events/channel-index.ts';
import { CallOffers } from './call-offers.ts';
import { Cancellation } from './cancellation.ts';
import { CommandExecutor } from './command-executor.ts';
import { EventPublisher } from './event-publisher.ts';
import { type LiveCall, LiveCalls } from './live-call.ts';

const log = createLogger('test', 'test', { level: 'silent', format: 'json' });

let nats: NatsServer;
let bus: Bus;
let placed = 0;
let call: LiveCall;
let offers: CallOffers;
let executor: CommandExecutor;
/** Of three shards; one of them has the call. */
let cancellations: Cancellation[];
let sent: string[];
let isPbxAway: boolean;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await connectBus({ servers: [nats.url], name: 'test' });
  await ensureStreams(bus, { replicas: 1 });
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
});

beforeEach(async () => {
  placed += 1;
  sent = [];
  isPbxAway = false;
  const ari = {
    request: async ({ method, path, query }) => {
      if (isPbxAway) throw new Error('the PBX is away');
      sent.push(`${method} ${path} ${query.reason ?? ''}`);
      return { ok: false, status: 404, reason: 'Channel not found' };
    },
  } as AriRequester;
  const calls = new LiveCalls();
  const at = { bus, ari, gateway: 'gateway-1', pbx: 'pbx-a', shard: 'one', pool: 'default', zone: 'a', calls, log };
  const kept = new KeptCalls(bus, 'pbx-a', 'one', () => {});
  offers = new CallOffers({ ...at, kept, claimTimeoutMs: 20_000 });
  const outbox = new EventOutbox(bus, { maxHeld: 1000, onRefused: () => {}, onRetry: () => {} });
  const publisher = new EventPublisher(new ChannelIndex('pbx-a', 'one'), 'gateway-1', calls, outbox);
  executor = new CommandExecutor({
    ...at,
    places: { counted: (_call, _request, send) => send() },
    timeoutMs: 1000,
    onClaimed: (claimed, worker) => claimed.claimedBy(worker, undefined),
    onDone: () => {},
    onReleased: () => {},
  });
  cancellations = [new LiveCalls(), calls, new LiveCalls()].map(
    (of) => new Cancellation({ bus, pbx: 'pbx-a', calls: of, offers, publisher, log }),
  );
  for (const one of cancellations) one.start();
  const channelId = originatedChannelId(`test-${placed}`);
  const id = callIdOf('pbx-a', channelId);
  call = calls.get(id);
  await offers.offerOutbound(call, {
    call: id,
    pbx: 'pbx-a',
    shard: 'one',
    zone: 'a',
    channelId,
    channelName: '',
    channelState: 'Down',
    caller: { number: '', name: '' },
    called: { number: 'alice', context: '' },
    args: [],
    variables: {},
    epoch: 0,
    dial: { program: 'outbound', endpoint: 'PJSIP/alice', ringTimeoutMs: 1000, variables: {} },
    gateway: 'gateway-1',
    enteredAt: new Date().toISOString(),
    expiresAt: Date.now() + 20_000,
  } as Offer);
});
afterEach(() => {
  for (const one of cancellations) one.stop();
  offers.close();
});

const recordOf = async () =>
  (
    await bus.jsm.direct.getMessage('CDRS', { last_by_subj: subjects.cdr(call.id) }).catch(() => null)
  )?.json<CallRecord>();
const claim = () => executor.execute({ kind: 'claim', call: call.id, epoch: 1, worker: 'worker-1' }, ROOT_CONTEXT);
const dial = () =>
  executor.execute(
    {
      kind: 'ari',
      call: call.id,
      epoch: 1,
      id: '1',
      request: {
        method: 'POST',
        route: '/channels/create',
        path: 'channels/create',
        query: { channelId: call.channelId, endpoint: 'PJSIP/alice' },
      },
    },
    ROOT_CONTEXT,
  );

test('a call that no worker has yet is cancelled for good, and recorded', async () => {
  expect(await cancelCall(bus, call.id)).toBe('cancelled');
  expect(await recordOf()).toMatchObject({ endedBy: 'cancelled', dial: { outcome: 'cancelled' }, workers: [] });
  expect(await claim(), 'a worker that took the offer').toMatchObject({ code: 'CF_CALL_RELEASED' });
  expect(await cancelCall(bus, call.id), 'again').toBe('cancelled');
});

test('a call that a worker has, and has not dialled yet, is not: the worker is told, and writes the record', async () => {
  await claim();
  expect(await cancelCall(bus, call.id)).toBe('cancelled');
  expect(sent).toEqual([`DELETE channels/${call.channelId} normal`]);
  expect(await dial()).toMatchObject({ ok: false, code: 'CF_CALL_CANCELLED' });
  expect(sent).toHaveLength(1);
  expect(await recordOf()).toBeUndefined();
  const told = async () =>
    (
      await bus.jsm.direct.getMessage('CALLS', { last_by_subj: subjects.callEvents(call.id) }).catch(() => null)
    )?.json();
  await expect.poll(told).toMatchObject({ type: 'call.cancelled', call: call.id });
});

test('a call that has ended is over', async () => {
  call.end();
  expect(await cancelCall(bus, call.id)).toBe('over');
});

test('a call that nobody knows of is unknown, when those who might learn of it had their time', async () => {
  await expect(cancelCall(bus, callIdOf('pbx-a', 'cf-out-none'))).rejects.toMatchObject({ code: 'CF_CALL_UNKNOWN' });
}, 20_000);

test('a PBX that is away for a moment is asked again', async () => {
  await claim();
  isPbxAway = true;
  const cancelled = cancelCall(bus, call.id);
  await expect.poll(() => call.isCancelled).toBe(true);
  isPbxAway = false;
  expect(await cancelled).toBe('cancelled');
  expect(sent).toHaveLength(1);
});

test('while no gateway holds the PBX it is asked for, and that is told in the end', async () => {
  for (const one of cancellations) one.stop();
  const cancelled = cancelCall(bus, call.id);
  cancellations[1]?.start();
  expect(await cancelled).toBe('cancelled');
});

import { startNatsServer } from '@callfleet/testkit';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bus, connectedTo, newCall, offerOf } from './bus-under-test.ts';
import type { CallRecord } from './call-record.ts';
import { connectBus } from './connection.ts';
import { announceGateway, gatewayPresence } from './gateway-presence.ts';
import { askHandOver, type HandOver, onHandOver } from './hand-over.ts';
import { type KeptCall, KeptCalls } from './kept-calls.ts';
import type { Offer } from './offer.ts';
import { answer, ask } from './request-reply.ts';
import { announceWorker, workerPresence } from './worker-presence.ts';
import { writeCallRecord } from './write-call-record.ts';

connectedTo(startNatsServer);

test('a call has one record, whoever writes it again', async () => {
  const call = newCall();
  const record = { call, gateway: 'first', endedBy: 'caller', media: [] as CallRecord['media'] } as CallRecord;
  await writeCallRecord(bus, record);
  // Not the message id but the subject keeps it single: a repeat may come hours later.
  await bus.jsm.streams.purge('CALLS');
  await writeCallRecord(bus, { ...record, gateway: 'second' });
  const stored = await bus.jsm.direct.getMessage('CDRS', { last_by_subj: `cf.cdr.${call}` });
  expect(stored?.json()).toMatchObject({ gateway: 'first' });
});

describe('a worker', () => {
  test('is there as long as it answers, and gone when nobody does', async () => {
    const leave = announceWorker(bus, 'worker-1', { calls: 0, has: () => false });
    expect(await workerPresence(bus, 'worker-1')).toBe('there');
    leave();
    expect(await workerPresence(bus, 'worker-1')).toBe('gone');
  });

  test('that is not back yet when NATS is, is silent, not gone', async () => {
    const own = await startNatsServer();
    const ownBus = await connectBus({ servers: [own.url], name: 'test' });
    const back = new Promise<void>((resolve) => ownBus.onReconnect(resolve));
    expect(await workerPresence(ownBus, 'worker-1')).toBe('gone');
    await own.kill();
    await own.restart();
    await back;
    expect(await workerPresence(ownBus, 'worker-1')).toBe('silent');
    await expect.poll(() => workerPresence(ownBus, 'worker-1'), { timeout: 5000 }).toBe('gone');
    await ownBus.close();
    await own.stop();
  });

  test('that does not have a call is gone for that call, whatever Redis says', async () => {
    const [had, unknown] = [newCall(), newCall()];
    const leave = announceWorker(bus, 'worker-2', { calls: 1, has: (call) => call === had });
    expect(await workerPresence(bus, 'worker-2', had)).toBe('there');
    expect(await workerPresence(bus, 'worker-2', unknown)).toBe('gone');
    leave();
  });

  test('is silent when it should answer, and does not', async () => {
    const subscription = bus.nc.subscribe('cf.worker.worker-3', { callback: () => {} });
    expect(await workerPresence(bus, 'worker-3')).toBe('silent');
    subscription.unsubscribe();
  });
});

test('a gateway is there as long as it answers, gone when nobody does, and silent when it should', async () => {
  const leave = announceGateway(bus, 'gateway-1');
  expect(await gatewayPresence(bus, 'gateway-1')).toBe('there');
  leave();
  expect(await gatewayPresence(bus, 'gateway-1')).toBe('gone');
  const subscription = bus.nc.subscribe('cf.gateway.gateway-1', { callback: () => {} });
  expect(await gatewayPresence(bus, 'gateway-1')).toBe('silent');
  subscription.unsubscribe();
});

describe('a shard that is handed over', () => {
  const shard = { step: 'connect', pbx: 'pbx-a', shard: 'callfleet-1' } as const;

  test('is told to the other gateway, which says when it is done', async () => {
    const told: HandOver[] = [];
    const stop = onHandOver(bus, 'gateway-1', async (handOver) => void told.push(handOver));
    await askHandOver(bus, 'gateway-1', shard, 1000);
    expect(told).toEqual([shard]);
    stop();
  });

  test('stays when the other gateway can not take it, does not live, or NATS is away', async () => {
    const stop = onHandOver(bus, 'gateway-1', () => Promise.reject(new Error('it stops')));
    const refused = { code: 'CF_BUS_REFUSED', message: expect.stringContaining('it stops') };
    await expect(askHandOver(bus, 'gateway-1', shard, 1000)).rejects.toMatchObject(refused);
    stop();
    await expect(askHandOver(bus, 'gateway-1', shard, 1000)).rejects.toMatchObject({ code: 'CF_BUS_NO_RESPONDER' });
    const away = { ...bus, awayMs: () => 1 };
    await expect(askHandOver(away, 'gateway-1', shard, 1000)).rejects.toMatchObject({ code: 'CF_BUS_REFUSED' });
  });
});

describe('a question', () => {
  const pong = z.object({ pong: z.string() });

  test('is answered', async () => {
    const subscription = answer(
      bus,
      'test.ping',
      z.object({ ping: z.string() }),
      ({ ping }) => ({ pong: ping }),
      () => ({ pong: 'bad message' }),
    );
    const options = { reply: pong, timeoutMs: 1000 };
    expect(await ask(bus, 'test.ping', { ping: 'x' }, options)).toEqual({ pong: 'x' });
    expect(await ask(bus, 'test.ping', { ping: 1 }, options)).toEqual({ pong: 'bad message' });
    subscription.unsubscribe();
  });

  test('to nobody is known at once', async () => {
    const error = ask(bus, 'test.nobody', {}, { reply: pong, timeoutMs: 60_000 });
    await expect(error).rejects.toMatchObject({ code: 'CF_BUS_NO_RESPONDER' });
  });

  test('that is not answered in time says so', async () => {
    const subscription = bus.nc.subscribe('test.silent', { callback: () => {} });
    const error = ask(bus, 'test.silent', {}, { reply: pong, timeoutMs: 50 });
    await expect(error).rejects.toMatchObject({ code: 'CF_BUS_TIMEOUT' });
    subscription.unsubscribe();
  });
});

describe('a NATS that can not serve is one clear error:', () => {
  test('not there', async () => {
    const options = { servers: ['127.0.0.1:1'], name: 'test', connectTimeoutMs: 500 };
    await expect(connectBus(options)).rejects.toMatchObject({ code: 'CF_NATS_UNREACHABLE' });
  });

  test('without JetStream', async () => {
    const account = 'accounts { plain: { users: [{ user: u, password: p }] } }';
    const plain = await startNatsServer({ config: account });
    try {
      const wrong = connectBus({ servers: [plain.url], name: 'test', user: 'u', password: 'no' });
      await expect(wrong).rejects.toMatchObject({ code: 'CF_NATS_UNAUTHORIZED' });
      const right = connectBus({ servers: [plain.url], name: 'test', user: 'u', password: 'p' });
      await expect(right).rejects.toMatchObject({ code: 'CF_NATS_NO_JETSTREAM' });
    } finally {
      await plain.stop();
    }
  });
});

describe('the live calls of a shard', () => {
  const keeper = (shard: string) => new KeptCalls(bus, 'pbx-a', shard, () => {});
  const keptOf = (call: Offer['call'], worker: string): KeptCall => ({
    offer: offerOf(call),
    worker,
    workers: [worker],
    epoch: 1,
  });
  const read = async (shard: string) =>
    (await keeper(shard).read(() => {})).map(({ kept }) => `${kept.offer.call} ${kept.worker}`).sort();

  test('are kept for its next gateway: the last word on each, and those of no other shard', async () => {
    const [first, second] = [newCall(), newCall()];
    const one = keeper('one');
    for (const worker of ['worker-1', 'worker-2', 'worker-3']) one.keep(keptOf(first, worker), ROOT_CONTEXT);
    one.keep(keptOf(second, 'worker-1'), ROOT_CONTEXT);
    keeper('two').keep(keptOf(newCall(), 'worker-1'), ROOT_CONTEXT);
    await expect.poll(() => read('one')).toEqual([`${first} worker-3`, `${second} worker-1`].sort());
    one.remove(first);
    await expect.poll(() => read('one')).toEqual([`${second} worker-1`]);
  });

  test('are none that was removed while it was still being written', async () => {
    const call = newCall();
    const three = keeper('three');
    three.keep(keptOf(call, 'worker-1'), ROOT_CONTEXT);
    three.remove(call);
    await expect
      .poll(
        async () => (await bus.jsm.streams.info('LIVE', { subjects_filter: 'cf.live.three.>' })).state.subjects ?? {},
      )
      .toEqual({});
    expect(await read('three')).toEqual([]);
  });

  test('that can not be read are told of, and hold nobody up', async () => {
    const call = newCall();
    await bus.js.publish(`cf.live.four.${newCall()}`, '{}');
    keeper('four').keep(keptOf(call, 'worker-1'), ROOT_CONTEXT);
    await expect.poll(() => read('four')).toEqual([`${call} worker-1`]);
    const bad: unknown[] = [];
    await keeper('four').read((error) => bad.push(error));
    expect(bad).toEqual([expect.objectContaining({ code: 'CF_BUS_BAD_MESSAGE' })]);
  });
});

import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { headers } from '@nats-io/transport-node';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CallEvent } from './call-event.ts';
import { CallEventFeed } from './call-event-feed.ts';
import { callHistory } from './call-history.ts';
import { type CallRecord, writeCallRecord } from './call-record.ts';
import { type Bus, connectBus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { announceGateway, gatewayPresence } from './gateway-presence.ts';
import { askHandOver, type HandOver, onHandOver } from './hand-over.ts';
import { type KeptCall, KeptCalls } from './kept-calls.ts';
import { type Offer, publishOffer } from './offer.ts';
import { OfferQueue } from './offer-queue.ts';
import { answer, ask } from './request-reply.ts';
import { ensureStreams } from './streams.ts';
import { announceWorker, workerPresence } from './worker-presence.ts';

let server: NatsServer;
let bus: Bus;
let calls = 0;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await ensureStreams(bus);
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

function newCall() {
  calls += 1;
  return callIdOf('pbx-a', `1763701200.${calls}`);
}

function eventOf(call: CallEvent['call'], seq: number): CallEvent {
  return { id: `${call} ${seq}`, call, source: 'gateway-1', seq, at: '', type: 'ari.X', data: { n: seq } };
}

function outbox(options: Partial<ConstructorParameters<typeof EventOutbox>[1]> = {}): EventOutbox {
  return new EventOutbox(bus, { onRefused: () => {}, onRetry: () => {}, retryAfterMs: 20, ...options });
}

function offerOf(call: Offer['call']): Offer {
  return {
    call,
    pbx: 'pbx-a',
    shard: 'callfleet-1',
    zone: 'a',
    channelId: 'x',
    channelName: 'PJSIP/x',
    channelState: 'Ring',
    caller: { number: '1001', name: '' },
    called: { number: '100', context: 'default' },
    args: [],
    variables: {},
    epoch: 0,
    gateway: 'gateway-1',
    enteredAt: '2026-11-21T05:45:41.123Z',
    expiresAt: Date.now() + 5000,
  };
}

describe('events of a call', () => {
  test('come once and in order, those from before and those from after', async () => {
    const call = newCall();
    const out = outbox();
    for (let seq = 1; seq <= 50; seq += 1) out.publish(eventOf(call, seq));
    await out.flushed();
    const seen: number[] = [];
    const following = CallEventFeed.open(bus, call, {
      onEvent: (event) => seen.push(event.seq),
      onBadMessage: () => {},
    });
    for (let seq = 51; seq <= 100; seq += 1) out.publish(eventOf(call, seq));
    const feed = await following;
    await out.flushed();
    await expect.poll(() => seen.length).toBe(100);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    feed.close();
  });

  test('published twice are seen once', async () => {
    const call = newCall();
    const out = outbox();
    const seen: number[] = [];
    const feed = await CallEventFeed.open(bus, call, {
      onEvent: (event) => seen.push(event.seq),
      onBadMessage: () => {},
    });
    for (const seq of [1, 1, 2, 1]) out.publish(eventOf(call, seq));
    await out.flushed();
    await expect.poll(() => seen).toEqual([1, 2]);
    feed.close();
  });

  test('of another call are not seen', async () => {
    const [mine, other] = [newCall(), newCall()];
    const out = outbox();
    const seen: string[] = [];
    const feed = await CallEventFeed.open(bus, mine, {
      onEvent: (event) => seen.push(event.call),
      onBadMessage: () => {},
    });
    out.publish(eventOf(other, 1));
    out.publish(eventOf(mine, 1));
    await expect.poll(() => seen).toEqual([mine]);
    feed.close();
  });

  test('that are none are told, and do no harm', async () => {
    const call = newCall();
    const bad: unknown[] = [];
    const seen: number[] = [];
    const feed = await CallEventFeed.open(bus, call, {
      onEvent: (event) => seen.push(event.seq),
      onBadMessage: (error) => bad.push(error),
    });
    bus.nc.publish(`cf.call.${call}.ev`, 'no json');
    bus.nc.publish(`cf.call.${call}.ev`, '{"id":1}');
    outbox().publish(eventOf(call, 1));
    await expect.poll(() => seen).toEqual([1]);
    expect(bad.map(String)).toEqual([expect.stringContaining('not JSON'), expect.stringContaining('does not fit')]);
    feed.close();
  });
});

describe('a feed', () => {
  test('that misses events sees the gap, and reads them from the stream in order', async () => {
    const call = newCall();
    const seen: number[] = [];
    // Live messages can get lost, as when a subscription was lost and made again.
    let isDeaf = false;
    const subscribe: Bus['nc']['subscribe'] = (subject, options) =>
      bus.nc.subscribe(subject, {
        callback: (error, message) => {
          if (!isDeaf) options?.callback?.(error, message);
        },
      });
    const forgetful: Bus = { ...bus, nc: Object.create(bus.nc, { subscribe: { value: subscribe } }) };
    const options = { onEvent: (event: CallEvent) => seen.push(event.seq), onBadMessage: () => {} };
    const feed = await CallEventFeed.open(forgetful, call, options);
    const out = outbox();
    for (const seq of [1, 2]) out.publish(eventOf(call, seq));
    await expect.poll(() => seen).toEqual([1, 2]);
    isDeaf = true;
    for (const seq of [3, 4, 5]) out.publish(eventOf(call, seq));
    await out.flushed();
    isDeaf = false;
    expect(seen).toEqual([1, 2]);
    out.publish(eventOf(call, 6));
    await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5, 6]);
    feed.close();
  });

  test('tells events that JetStream took in another order as their source numbered them, live and from the stream', async () => {
    const call = newCall();
    const seen: string[] = [];
    const options = (name: string) => ({
      onEvent: ({ seq }: CallEvent) => seen.push(`${name}${seq}`),
      onBadMessage: () => {},
    });
    const live = await CallEventFeed.open(bus, call, options('live '));
    for (const seq of [1, 3, 2]) {
      const out = outbox();
      out.publish(eventOf(call, seq));
      await out.flushed();
    }
    await expect.poll(() => seen).toEqual(['live 1', 'live 2', 'live 3']);
    const late = await CallEventFeed.open(bus, call, options('stored '));
    await expect.poll(() => seen.slice(3)).toEqual(['stored 1', 'stored 2', 'stored 3']);
    expect((await callHistory(bus, call)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    live.close();
    late.close();
  });

  test('goes on when NATS was killed and came back, without a gap or a repeat', async () => {
    const own = await startNatsServer();
    const [reader, writer] = await Promise.all(['r', 'w'].map((name) => connectBus({ servers: [own.url], name })));
    if (!reader || !writer) throw new Error('no bus');
    await ensureStreams(writer);
    const call = newCall();
    const seen: number[] = [];
    const feed = await CallEventFeed.open(reader, call, {
      onEvent: (event) => seen.push(event.seq),
      onBadMessage: () => {},
    });
    const out = new EventOutbox(writer, { onRefused: () => {}, onRetry: () => {}, retryAfterMs: 50 });
    for (let seq = 1; seq <= 10; seq += 1) out.publish(eventOf(call, seq));
    await expect.poll(() => seen.length).toBe(10);
    await own.kill();
    for (let seq = 11; seq <= 20; seq += 1) out.publish(eventOf(call, seq));
    await own.restart();
    await out.flushed();
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    feed.close();
    await Promise.all([reader.close(), writer.close()]);
    await own.stop();
  });
});

describe('the outbox', () => {
  test('holds what NATS can not take, and delivers it in order when NATS is back', async () => {
    const own = await startNatsServer();
    const ownBus = await connectBus({ servers: [own.url], name: 'test' });
    await ensureStreams(ownBus);
    const call = newCall();
    let retries = 0;
    const out = new EventOutbox(ownBus, { onRefused: () => {}, onRetry: () => retries++, retryAfterMs: 50 });
    await ownBus.jsm.streams.delete('CALLS');
    for (let seq = 1; seq <= 20; seq += 1) out.publish(eventOf(call, seq));
    await expect.poll(() => retries).toBeGreaterThan(0);
    expect(out.held).toBe(20);
    await ensureStreams(ownBus);
    await out.flushed();
    const seen: number[] = [];
    const feed = await CallEventFeed.open(ownBus, call, {
      onEvent: (event) => seen.push(event.seq),
      onBadMessage: () => {},
    });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    feed.close();
    await ownBus.close();
    await own.stop();
  });

  test('refuses what is longer than NATS takes, and the rest goes on', async () => {
    const refused: number[] = [];
    const out = outbox({ onRefused: (event) => refused.push(event.seq) });
    const call = newCall();
    out.publish({ ...eventOf(call, 1), data: { text: 'x'.repeat(2_000_000) } });
    out.publish(eventOf(call, 2));
    await out.flushed();
    expect(refused).toEqual([1]);
    const seen: number[] = [];
    const onEvent = (event: CallEvent) => void seen.push(event.seq);
    const feed = await CallEventFeed.open(bus, call, { onEvent, onBadMessage: () => {}, gapMs: 50 });
    await expect.poll(() => seen).toEqual([2]);
    feed.close();
  });

  test('delivers within a second after NATS is back, whatever was under way', async () => {
    const own = await startNatsServer();
    const ownBus = await connectBus({ servers: [own.url], name: 'test' });
    await ensureStreams(ownBus);
    let reconnectedAt = 0;
    const out = new EventOutbox(ownBus, { onRefused: () => {}, onRetry: () => {} });
    ownBus.onReconnect(() => {
      reconnectedAt = performance.now();
    });
    const call = newCall();
    await own.kill();
    for (let seq = 1; seq <= 1000; seq += 1) out.publish(eventOf(call, seq));
    // So long that attempts have begun just before it comes back.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await own.restart();
    await out.flushed();
    expect(performance.now() - reconnectedAt).toBeLessThan(1000);
    const stored = await ownBus.jsm.streams.info('CALLS');
    expect(stored.state.messages, 'each once').toBe(1000);
    await ownBus.close();
    await own.stop();
  });

  test('at its bound refuses the newest, and says so', async () => {
    const refused: number[] = [];
    const out = outbox({ maxHeld: 3, onRefused: (event) => refused.push(event.seq) });
    const call = newCall();
    for (let seq = 1; seq <= 5; seq += 1) out.publish(eventOf(call, seq));
    expect(refused).toEqual([4, 5]);
    await out.flushed();
  });
});

describe('offers', () => {
  test('go to one worker each, and are gone when acknowledged', async () => {
    const offered = [newCall(), newCall(), newCall(), newCall()];
    for (const call of offered) await publishOffer(bus, 'one-each', offerOf(call), headers());
    const taken: string[] = [];
    const queues = await Promise.all([1, 2].map(() => OfferQueue.open(bus, 'one-each', () => {})));
    await Promise.all(
      queues.map(async (queue) => {
        for await (const inHand of queue.pull(2)) {
          taken.push(inHand.offer.call);
          inHand.acknowledge();
        }
      }),
    );
    expect(taken.sort()).toEqual([...offered].sort());
  });

  test('given back go to the next', async () => {
    const call = newCall();
    await publishOffer(bus, 'given-back', offerOf(call), headers());
    const queue = await OfferQueue.open(bus, 'given-back', () => {});
    for await (const inHand of queue.pull(1)) inHand.giveBack();
    const again: string[] = [];
    for await (const inHand of queue.pull(1)) {
      again.push(inHand.offer.call);
      inHand.acknowledge();
    }
    expect(again).toEqual([call]);
  });

  describe('of calls that a program has begun', () => {
    const V1 = { name: 'long_menu', version: '1.0' };
    const V2 = { name: 'long_menu', version: '2.0' };

    async function pulledFrom(queue: OfferQueue): Promise<string[]> {
      const pulled: string[] = [];
      for await (const inHand of queue.pull(10)) {
        pulled.push(inHand.offer.call);
        inHand.acknowledge();
      }
      return pulled;
    }

    test('go to workers that have that very version, whatever else they have', async () => {
      const [begun, lost] = [newCall(), newCall()];
      const anyNew = await OfferQueue.open(bus, 'versions', () => {});
      const [one, two] = await Promise.all([V1, V2].map((v) => OfferQueue.openTakeovers(bus, 'versions', v, () => {})));
      if (!one || !two) throw new Error('no queues');
      await publishOffer(bus, 'versions', offerOf(begun), headers());
      await publishOffer(bus, 'versions', { ...offerOf(lost), program: V1 }, headers());
      expect(await Promise.all([anyNew, one, two].map(pulledFrom))).toEqual([[begun], [lost], []]);
    });

    test('wait for a worker that has it, and are shared by all that have it', async () => {
      const lost = [newCall(), newCall(), newCall(), newCall()];
      for (const call of lost) await publishOffer(bus, 'waiting', { ...offerOf(call), program: V1 }, headers());
      const queues = await Promise.all([1, 2].map(() => OfferQueue.openTakeovers(bus, 'waiting', V1, () => {})));
      const pulled = await Promise.all(queues.map(pulledFrom));
      expect(pulled.flat().sort()).toEqual([...lost].sort());
    });

    test('are found again when NATS had forgotten that anyone wants them', async () => {
      const queue = await OfferQueue.openTakeovers(bus, 'forgotten', V1, () => {});
      const { config } = await bus.jsm.consumers.info('OFFERS', 'cf-offer-forgotten~long=5Fmenu@1_0');
      expect(config.inactive_threshold).toBe(300_000 * 1e6);
      await bus.jsm.consumers.delete('OFFERS', 'cf-offer-forgotten~long=5Fmenu@1_0');
      const call = newCall();
      await publishOffer(bus, 'forgotten', { ...offerOf(call), program: V1 }, headers());
      await expect(pulledFrom(queue)).rejects.toThrow();
      expect(await pulledFrom(queue)).toEqual([call]);
    });
  });
});

test('a call has one record, whoever writes it again', async () => {
  const call = newCall();
  const record = { call, gateway: 'first' } as CallRecord;
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

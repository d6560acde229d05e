import { startNatsServer } from '@callfleet/testkit';
import { describe, expect, test } from 'vitest';
import { bus, connectedTo, eventOf, newCall, outbox } from './bus-under-test.ts';
import type { CallEvent } from './call-event.ts';
import { CallEventFeed } from './call-event-feed.ts';
import { callHistory } from './call-history.ts';
import { type Bus, connectBus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { ensureStreams } from './streams.ts';

connectedTo(startNatsServer);

/** Live messages can get lost, as when a subscription was lost and made again. */
function forgetfulBus(): { bus: Bus; hears: (isHearing: boolean) => void } {
  let isHearing = true;
  const subscribe: Bus['nc']['subscribe'] = (subject, options) =>
    bus.nc.subscribe(subject, {
      callback: (error, message) => {
        if (isHearing) options?.callback?.(error, message);
      },
    });
  return {
    bus: { ...bus, nc: Object.create(bus.nc, { subscribe: { value: subscribe } }) },
    hears: (is) => {
      isHearing = is;
    },
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
    await bus.js.publish(`cf.call.${call}.ev`, 'no json', { msgID: `${call} 1` });
    await bus.js.publish(`cf.call.${call}.ev`, '{"id":1}', { msgID: `${call} 2` });
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
    const { bus: forgetful, hears } = forgetfulBus();
    const options = { onEvent: (event: CallEvent) => seen.push(event.seq), onBadMessage: () => {} };
    const feed = await CallEventFeed.open(forgetful, call, options);
    const out = outbox();
    for (const seq of [1, 2]) out.publish(eventOf(call, seq));
    await expect.poll(() => seen).toEqual([1, 2]);
    hears(false);
    for (const seq of [3, 4, 5]) out.publish(eventOf(call, seq));
    await out.flushed();
    hears(true);
    expect(seen).toEqual([1, 2]);
    out.publish(eventOf(call, 6));
    await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5, 6]);
    feed.close();
  });

  test('that was told of the last event neither live nor by its first reading has it all the same', async () => {
    const call = newCall();
    const seen: number[] = [];
    const { bus: forgetful, hears } = forgetfulBus();
    const options = { onEvent: (event: CallEvent) => seen.push(event.seq), onBadMessage: () => {} };
    const feed = await CallEventFeed.open(forgetful, call, options);
    hears(false);
    const out = outbox();
    out.publish(eventOf(call, 1));
    await out.flushed();
    expect(seen).toEqual([]);
    await expect.poll(() => seen, { timeout: 5000 }).toEqual([1]);
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

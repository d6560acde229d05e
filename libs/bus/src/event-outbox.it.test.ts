import { startNatsServer } from '@callfleet/testkit';
import { describe, expect, test } from 'vitest';
import { bus, connectedTo, eventOf, newCall, outbox } from './bus-under-test.ts';
import type { CallEvent } from './call-event.ts';
import { CallEventFeed } from './call-event-feed.ts';
import { connectBus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { ensureStreams } from './streams.ts';

connectedTo(startNatsServer);

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

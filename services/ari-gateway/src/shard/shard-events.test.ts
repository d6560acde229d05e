import { readFileSync } from 'node:fs';
import { ARI_EVENT_TYPES, type AriRequester, type StasisStart } from '@callfleet/ari';
import type { CallEvent, EventOutbox } from '@callfleet/bus';
import { type CallId, isCallId } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { CallOffers } from '../calls/call-offers.ts';
import { EventPublisher } from '../calls/event-publisher.ts';
import { LiveCalls } from '../calls/live-call.ts';
import { ChannelIndex, type IncomingEvent } from '../events/channel-index.ts';
import { ShardEvents } from './shard-events.ts';

/**
 * A shard's events without a PBX and without a bus, and what becomes of them. The PBX leaves the first `silences` requests without an answer, and knows
 * nothing of channels that are `gone`.
 */
function shard({ silences = 0, gone = [] as string[] } = {}) {
  const published: CallEvent[] = [];
  const offered: string[] = [];
  const followed: string[] = [];
  const calls = new LiveCalls();
  const outbox = { publish: (event: CallEvent) => void published.push(event) } as unknown as EventOutbox;
  const offers = {
    offer: (_: unknown, { channel }: StasisStart) => void offered.push(channel.id),
    settle: () => {},
  } as unknown as CallOffers;
  const ari = {
    request: async ({ query }: { query: Record<string, string> }) => {
      followed.push(query.eventSource ?? '');
      if (followed.length <= silences) throw new Error('no answer');
      return { ok: !gone.some((id) => query.eventSource?.split(',').includes(`channel:${id}`)) };
    },
  } as unknown as AriRequester;
  const log = createLogger('test', 'gateway-1', { level: 'silent', format: 'json' });
  const publisher = new EventPublisher(new ChannelIndex('pbx-a', 'one'), 'gateway-1', calls, outbox);
  const events = new ShardEvents({
    shard: 'one',
    ari,
    publisher,
    offers,
    mirror: { add: async () => {} },
    onChannelEnded: () => {},
    log,
  });
  return { events, published, offered, followed, calls, warned: vi.spyOn(log, 'warn') };
}

function play(scene: string) {
  const lines = readFileSync(new URL(`../events/recorded/${scene}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const one = shard();
  const live: number[] = [];
  for (const line of lines) {
    one.events.handle(JSON.parse(line) as IncomingEvent);
    live.push(one.calls.live);
  }
  return { ...one, live, types: lines.map((line) => (JSON.parse(line) as IncomingEvent).type) };
}

test('an event that concerns two calls is published to both, with a number and an id in each', () => {
  const { published } = play('attended-transfer-of-two-calls');
  const transfers = published.filter(({ type }) => type === 'ari.BridgeAttendedTransfer');
  expect(transfers.map(({ call }) => call)).toEqual(['pbx-a.pbx-a-1795257827_22', 'pbx-a.pbx-a-1795257827_23']);
  expect(new Set(transfers.map(({ id }) => id)).size).toBe(2);
  for (const one of new Set(published.map(({ call }) => call))) {
    const numbers = published.filter(({ call }) => call === one).map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, n) => n + 1));
  }
});

test('what takes the place of another channel is not offered to workers, and is followed to its end', () => {
  const { offered, followed } = play('attended-transfer-of-two-calls');
  expect(offered).toEqual(['pbx-a-1795257827.22', 'pbx-a-1795257827.23']);
  expect(followed).toContain('channel:pbx-a-1795257827.26');
});

test('a call whose caller has been replaced lives until what replaced it is gone', () => {
  const { live, types } = play('blind-transfer-by-caller');
  const ends = types.flatMap((type, n) => (type === 'StasisEnd' ? [live[n]] : []));
  // The caller itself; the Local channel in its place; the agent.
  expect(ends).toEqual([1, 0, 0]);
});

test('a channel of a call that we place is not offered again when it comes; when the dialplan sends it back, it is', () => {
  const { events, published, offered } = shard();
  const channel = { id: 'cf-out-1', state: 'Down', dialplan: {} };
  events.handle({ type: 'Dial', peer: channel, dialstatus: '' });
  events.handle({ type: 'StasisStart', args: ['callfleet-originated'], channel });
  expect(offered).toEqual([]);
  expect(published.map(({ call, type }) => `${call} ${type}`)).toEqual([
    'pbx-a.cf-out-1 ari.Dial',
    'pbx-a.cf-out-1 ari.StasisStart',
  ]);
  events.handle({ type: 'StasisStart', args: [], channel });
  expect(offered).toEqual(['cf-out-1']);
});

test('a StasisStart without a channel is an error of that one event', () => {
  const { events, published } = shard();
  const replaced = { type: 'StasisStart', replace_channel: { id: '1.1' } };
  expect(() => events.handle(replaced)).toThrow(TypeError);
  events.handle({ type: 'ChannelDtmfReceived', channel: { id: '1.1' }, digit: '1' });
  expect(published).toHaveLength(1);
});

test('events of types without end are all passed on, and the first hundred types told of', () => {
  const { events, published, warned } = shard();
  for (let n = 0; n < 1000; n += 1) events.handle({ type: `New${n}`, channel: { id: '1.1' } });
  expect(published).toHaveLength(1000);
  expect(warned).toHaveBeenCalledTimes(100);
});

test('events of any shape are published, or of no call, or an error of that one event', async () => {
  const { events, published } = shard();
  const model = fc.oneof(fc.anything(), fc.record({ id: fc.oneof(fc.string(), fc.integer()), name: fc.string() }));
  const names = fc.constantFrom(
    'channel',
    'replace_channel',
    'bridge',
    'playback',
    'peer',
    'caller',
    'endpoint',
    'timestamp',
  );
  const type = fc.oneof(fc.constantFrom(...ARI_EVENT_TYPES), fc.string());
  fc.assert(
    fc.property(type, fc.dictionary(names, model), (one, rest) => {
      // What comes over a socket has been JSON.
      const event = JSON.parse(
        JSON.stringify({ ...rest, type: one }, (_, value) => (typeof value === 'bigint' ? 7 : value)),
      );
      try {
        events.handle(event);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
    }),
  );
  // Nothing was left behind that fails later.
  await new Promise(setImmediate);
  const good = { type: 'ChannelDtmfReceived', channel: { id: '1.1' }, digit: '1' };
  events.handle(good);
  expect(published.at(-1)).toMatchObject({ call: 'pbx-a.1_1', data: good });
  for (const { call, at } of published) {
    expect(isCallId(call)).toBe(true);
    expect(Number.isNaN(Date.parse(at))).toBe(false);
  }
});

test('a new caller is followed to the end of their channel, also when the PBX does not answer at first', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { events, followed } = shard({ silences: 3 });
  events.handle(
    JSON.parse(
      readFileSync(new URL('../events/recorded/media.jsonl', import.meta.url), 'utf8').split('\n')[0] ?? '',
    ) as IncomingEvent,
  );
  await vi.advanceTimersByTimeAsync(20_000);
  expect(followed).toHaveLength(4);
  expect(new Set(followed).size).toBe(1);
});

test('channels are followed twenty in a request; where one is gone, each of its batch by itself', async () => {
  const { events, followed } = shard({ gone: ['30'] });
  await events.follow(Array.from({ length: 45 }, (_, n) => String(n)));
  const counts = followed.map((sources) => sources.split(',').length);
  expect(counts).toEqual([20, 20, 5, ...Array.from({ length: 20 }, () => 1)]);
  expect(followed.slice(3)).toEqual(Array.from({ length: 20 }, (_, n) => `channel:${20 + n}`));
});

test('what was told is noted until the shard is reconciled, and again from the next socket on', () => {
  const { events, published } = shard();
  const channel = {
    id: '1.2',
    state: 'Ring',
    caller: { name: '', number: '' },
    dialplan: { app_name: 'Stasis', app_data: 'one' },
  };
  const tell = (type: string) => events.handle({ type, args: [], channel } as IncomingEvent);
  tell('StasisStart');
  tell('ChannelStateChange');
  const call = published[0]?.call as CallId;
  expect(events.toldSinceConnected(call)).toEqual(published);
  events.reconciled();
  tell('ChannelStateChange');
  expect(events.toldSinceConnected(call)).toEqual([]);
  events.disconnected();
  tell('StasisEnd');
  expect(events.toldSinceConnected(call)).toEqual(published.slice(-1));
});

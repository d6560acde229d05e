import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallId, callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallEvent, callEventSchema } from './call-event.ts';
import { type Bus, connectBus } from './connection.ts';
import { EventOutbox, type EventOutboxOptions } from './event-outbox.ts';
import { decodeMessage } from './message.ts';
import { SpillQueue } from './spill-queue.ts';
import { storedMessages } from './stored-messages.ts';
import { ensureStreams } from './streams.ts';
import { subjects } from './subjects.ts';

const CALLS = 20;
/** Several files on disk full. */
const EVENTS = 6000;
const MAX_HELD = 500;
const MIB = 1024 * 1024;

let server: NatsServer;
let bus: Bus;
let root: string;
let folder: string;

beforeEach(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await ensureStreams(bus);
  root = await mkdtemp(join(tmpdir(), 'callfleet-spill-'));
  folder = join(root, 'own');
});
afterEach(async () => {
  await bus.close();
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

const calls = Array.from({ length: CALLS }, (_, n) => callIdOf('pbx-a', `1763701200.${n}`));
/** The nth event of all, as the gateway reads them from its sockets: the calls' in turn. */
function eventOf(n: number): CallEvent {
  const call = calls[n % CALLS] as CallId;
  const seq = Math.floor(n / CALLS) + 1;
  const data = { n, padding: 'x'.repeat(500) };
  return { id: `${call} ${seq}`, call, source: 'gateway-1', seq, at: '', type: 'ari.X', data };
}

const spillOptions = { maxBytes: 100 * MIB, segmentBytes: MIB, onTrouble: (error: unknown) => expect.fail(`${error}`) };

function outboxOn(spill: SpillQueue, options: Partial<EventOutboxOptions> = {}): EventOutbox {
  const fail = () => expect.fail('refused');
  return new EventOutbox(bus, { maxHeld: MAX_HELD, spill, onRefused: fail, onRetry: () => {}, ...options });
}

function publishAll(out: EventOutbox, from = 0): void {
  for (let n = from; n < EVENTS; n += 1) {
    out.publish(eventOf(n), [['traceparent', `of-${n}`]]);
  }
}

async function expectEachOnceInOrder(): Promise<void> {
  const numbers = Array.from({ length: EVENTS / CALLS }, (_, n) => n + 1);
  for (const call of calls) {
    const seen: number[] = [];
    for await (const { data } of storedMessages(bus, subjects.callEvents(call)))
      seen.push(decodeMessage(callEventSchema, data).seq);
    expect(seen).toEqual(numbers);
  }
}

test('thousands of events while NATS is away: few in memory, all of them in the stream, once and in order', async () => {
  const spill = new SpillQueue({ ...spillOptions, folder });
  const inMemory: number[] = [];
  const out: EventOutbox = outboxOn(spill, { onPublished: () => inMemory.push(out.held - spill.length) });
  await server.kill();
  publishAll(out);
  expect(out.held).toBe(EVENTS);
  expect(spill.length).toBe(EVENTS - MAX_HELD);
  await server.restart();
  await out.flushed();
  expect(Math.max(...inMemory)).toBeLessThanOrEqual(MAX_HELD);
  await expectEachOnceInOrder();
  const stored = await bus.jsm.direct.getMessage('CALLS', {
    last_by_subj: subjects.callEvents(eventOf(EVENTS - 1).call),
  });
  expect(stored?.header.get('traceparent')).toBe(`of-${EVENTS - 1}`);
  expect(await out.close()).toBe(0);
  expect(await readdir(root)).toEqual([]);
});

test('events that come while those on disk go out are not before them', async () => {
  const spill = new SpillQueue({ ...spillOptions, folder });
  const out = outboxOn(spill);
  await server.kill();
  for (let n = 0; n < EVENTS / 2; n += 1) out.publish(eventOf(n));
  await server.restart();
  for (let n = EVENTS / 2; n < EVENTS; n += 1) {
    out.publish(eventOf(n));
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await out.flushed();
  await expectEachOnceInOrder();
  await out.close();
});

test('what a gateway could not send before it stopped, the next one sends', async () => {
  const spill = new SpillQueue({ ...spillOptions, folder });
  const out = outboxOn(spill);
  await server.kill();
  publishAll(out);
  expect(await out.close()).toBe(0);
  await server.restart();

  const left = await SpillQueue.reopen({ ...spillOptions, folder }, () => expect.fail('torn'));
  expect(left.length).toBe(EVENTS);
  const next = outboxOn(left);
  await next.flushed();
  await next.close();
  await expectEachOnceInOrder();
  expect(await readdir(root)).toEqual([]);
});

test('a line on disk that is no event is told, and does not hold the others up', async () => {
  const spill = new SpillQueue({ ...spillOptions, folder });
  spill.push('{"event":{}}');
  const unreadable: unknown[] = [];
  const out = outboxOn(spill, { onUnreadable: (error) => unreadable.push(error) });
  publishAll(out);
  await out.flushed();
  expect(unreadable.map(String)).toEqual([expect.stringContaining('does not fit')]);
  await expectEachOnceInOrder();
  await out.close();
});

test('when the disk has no room either, the newest is refused', async () => {
  const refused: number[] = [];
  const spill = new SpillQueue({ ...spillOptions, folder, maxBytes: MIB });
  const out = outboxOn(spill, { onRefused: ({ call, seq }) => refused.push((seq - 1) * CALLS + calls.indexOf(call)) });
  publishAll(out);
  const kept = EVENTS - refused.length;
  expect(kept).toBeGreaterThan(MAX_HELD);
  expect(refused).toEqual(Array.from({ length: EVENTS - kept }, (_, n) => kept + n));
  await out.flushed();
  await out.close();
});

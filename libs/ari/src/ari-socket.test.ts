import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AriCloseInfo, AriSocket, type AriSocketOptions } from './ari-socket.ts';
import { FakeAsterisk } from './fake-asterisk.ts';
import { channels } from './generated/operations.gen.ts';

let fake: FakeAsterisk;
beforeEach(async () => {
  fake = await FakeAsterisk.start();
});
afterEach(() => fake.stop());

const connect = (options: Partial<AriSocketOptions> = {}, signal?: AbortSignal) =>
  AriSocket.connect({ ...fake.account, apps: ['bot'], onEvent: () => {}, ...options }, signal);

/** A round trip: whatever the fake sent before it has been read after it. */
async function settled(socket: AriSocket): Promise<void> {
  fake.handler = () => ({ status: 204 });
  await socket.request(channels.answer({ channelId: '1.2' }));
}

const event = (type: string, n: number) => ({ type, application: 'bot', timestamp: `t${n}`, channel: { id: `${n}` } });

describe('connecting', () => {
  test('registers all its applications, with the credentials in the header and not in the url', async () => {
    const socket = await connect({ apps: ['bot-a', 'bot b'] });
    const [upgrade] = fake.upgrades;
    expect(upgrade?.url).toBe('/ari/events?app=bot-a,bot%20b');
    expect(upgrade?.headers.authorization).toMatch(/^Basic /);
    await socket.close();
  });

  test('that the server forbids, drops or answers oddly', async () => {
    fake.upgrade = 403;
    await expect(connect()).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED' });
    fake.upgrade = 400;
    await expect(connect()).rejects.toMatchObject({ code: 'CF_ARI_UNEXPECTED' });
    fake.upgrade = 'drop';
    await expect(connect()).rejects.toMatchObject({ code: 'CF_ARI_UNREACHABLE' });
  });

  test('is given up with the signal, and tells no listener', async () => {
    fake.upgrade = 'ignore';
    const onClose = vi.fn();
    const controller = new AbortController();
    const connecting = connect({ onClose }, controller.signal);
    await vi.waitFor(() => expect(fake.upgrades).toHaveLength(1));
    controller.abort(new Error('not needed any more'));
    await expect(connecting).rejects.toThrow('not needed any more');
    await expect(connect({}, controller.signal)).rejects.toThrow('not needed any more');
    expect(onClose).not.toHaveBeenCalled();
  });
});

describe('events', () => {
  test('come in order, as they were sent, with unknown types among them', async () => {
    const seen: unknown[] = [];
    const socket = await connect({ onEvent: (one, rawText) => seen.push([one, rawText]) });
    const sent = Array.from({ length: 500 }, (_, n) => event(n % 10 === 0 ? 'FromTheFuture' : 'StasisStart', n));
    for (const one of sent) fake.send(one);
    await settled(socket);
    expect(seen).toEqual(sent.map((one) => [one, JSON.stringify(one)]));
    expect(socket.stats).toMatchObject({ events: 500, unknownEvents: 50, malformedFrames: 0 });
    await socket.close();
  });

  test('go on after a listener threw, and it is told', async () => {
    const onListenerError = vi.fn(() => {
      throw new Error('this one too');
    });
    const seen: string[] = [];
    const onEvent: AriSocketOptions['onEvent'] = ({ type }) => {
      seen.push(type);
      throw new Error('a mistake');
    };
    const socket = await connect({ onEvent, onListenerError });
    fake.send(event('StasisStart', 1));
    fake.send(event('StasisEnd', 2));
    await settled(socket);
    expect(seen).toEqual(['StasisStart', 'StasisEnd']);
    expect(onListenerError).toHaveBeenCalledTimes(2);
    expect(onListenerError).toHaveBeenCalledWith(expect.objectContaining({ message: 'a mistake' }));
    expect(socket.stats.listenerErrors).toBe(2);
    await socket.close();
  });

  test('that are none are counted and handed over, and the socket goes on', async () => {
    const onMalformed = vi.fn();
    const socket = await connect({ onMalformed });
    const frames = ['', 'nonsense', '[1]', 'null', '"text"', '{}', '{"type":7}', '{"type":"RESTResponse"}'];
    for (const text of frames) fake.send(text);
    fake.send(new Uint8Array([123, 125]));
    await settled(socket);
    expect(onMalformed.mock.calls.map(([, text]) => text)).toEqual([...frames, '{}']);
    expect(socket.stats).toMatchObject({ events: 0, malformedFrames: frames.length + 1 });
    await socket.close();
  });

  test('survive any frames whatever: each is an event, an answer nobody waits for, or malformed', async () => {
    const socket = await connect();
    const frame = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.json(),
      fc
        .record(
          {
            type: fc.oneof(fc.constantFrom('RESTResponse', 'StasisStart', '__proto__', 'constructor'), fc.anything()),
            request_id: fc.oneof(fc.string(), fc.integer()),
            status_code: fc.oneof(fc.integer(), fc.string()),
            content_type: fc.constantFrom('application/json', 'text/plain', 7),
            message_body: fc.oneof(fc.json(), fc.string(), fc.anything()),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one))),
    );
    let total = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 20 }), async (frames) => {
        for (const text of frames) fake.send(text);
        await settled(socket);
        total += frames.length;
        const { events, lateAnswers, malformedFrames } = socket.stats;
        expect(events + lateAnswers + malformedFrames).toBe(total);
      }),
      { numRuns: 200 },
    );
    await socket.close();
  });

  test('larger than the limit end the socket', async () => {
    const closed = Promise.withResolvers<AriCloseInfo>();
    await connect({ maxPayload: 1000, onClose: closed.resolve });
    fake.send({ type: 'Long', text: 'x'.repeat(1000) });
    expect(await closed.promise).toMatchObject({ by: 'failure', error: expect.any(RangeError) });
  });
});

describe('closing', () => {
  test('by us is a handshake, after which it is closed', async () => {
    const onClose = vi.fn();
    const socket = await connect({ onClose });
    expect(socket.state).toBe('open');
    const closing = socket.close();
    expect(socket.state).toBe('closing');
    await closing;
    expect(socket.state).toBe('closed');
    expect(onClose.mock.calls).toEqual([[{ code: 1000, reason: '', by: 'us' }]]);
  });

  test('of a peer that does not answer the handshake ends in time', async () => {
    const onClose = vi.fn();
    const socket = await connect({ onClose, closeTimeoutMs: 20 });
    fake.sockets[0]?.pause();
    await socket.close();
    expect(onClose).toHaveBeenCalledExactlyOnceWith({ code: 1006, reason: '', by: 'us' });
  });

  test('by the peer is told with its code, and fails every request that waits', async () => {
    fake.handler = () => undefined;
    const closed = Promise.withResolvers<AriCloseInfo>();
    const socket = await connect({ onClose: closed.resolve });
    const waiting = Promise.allSettled([socket.request(channels.list()), socket.request(channels.list())]);
    fake.sockets[0]?.close(1011, 'too slow');
    expect(await closed.promise).toEqual({ code: 1011, reason: 'too slow', by: 'peer' });
    for (const { status, ...rest } of await waiting) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { code: 'CF_ARI_CLOSED', mayHaveRun: true } });
    }
    expect(socket.inFlight).toBe(0);
  });

  test('terminate() needs no peer', async () => {
    const closed = Promise.withResolvers<AriCloseInfo>();
    const socket = await connect({ onClose: closed.resolve });
    socket.terminate();
    expect(await closed.promise).toEqual({ code: 1006, reason: '', by: 'us' });
  });

  test('follows from silence: a peer that answers no ping is given up', async () => {
    const closed = Promise.withResolvers<AriCloseInfo>();
    await connect({ pingIntervalMs: 20, onClose: closed.resolve });
    fake.sockets[0]?.pause();
    expect(await closed.promise).toEqual({ code: 1006, reason: '', by: 'silence' });
  });

  test('does not follow while the peer answers pings', async () => {
    const onClose = vi.fn();
    const socket = await connect({ pingIntervalMs: 10, onClose });
    let pings = 0;
    fake.sockets[0]?.on('ping', () => pings++);
    await vi.waitFor(() => expect(pings).toBeGreaterThan(4));
    expect(onClose).not.toHaveBeenCalled();
    await socket.close();
  });
});

test('an answer that comes too late is counted, and is no event', async () => {
  const onEvent = vi.fn();
  const held = Promise.withResolvers<void>();
  fake.handler = () => held.promise.then(() => ({ status: 204 }));
  const socket = await connect({ onEvent });
  await expect(socket.request(channels.list(), { timeoutMs: 10 })).rejects.toMatchObject({ code: 'CF_ARI_TIMEOUT' });
  held.resolve();
  await settled(socket);
  expect(socket.stats.lateAnswers).toBe(1);
  expect(onEvent).not.toHaveBeenCalled();
  await socket.close();
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { AriListener, type AriListenerOptions, type DialIn, type DialInRefusal } from './ari-listener.ts';
import type { AriCloseInfo, AriSocket } from './ari-socket.ts';
import { asterisk } from './generated/operations.gen.ts';

const PATH = '/ari/pbx-a/callfleet-1';
const ACCOUNT = { username: 'pbx-a', password: 'se:cret' };
const REGISTERED = JSON.stringify({ type: 'ApplicationRegistered', application: 'callfleet-1' });

const closing: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(options: Partial<AriListenerOptions> = {}) {
  const dialIns: DialIn[] = [];
  const refusals: DialInRefusal[] = [];
  const listener = await AriListener.start({
    host: '127.0.0.1',
    port: 0,
    accountAt: (path) => (path === PATH ? ACCOUNT : undefined),
    onDialIn: (dialIn) => dialIns.push(dialIn),
    onRefused: (why) => refusals.push(why),
    closeTimeoutMs: 200,
    ...options,
  });
  closing.push(() => listener.close());
  return { listener, dialIns, refusals };
}

interface DialOptions {
  readonly path?: string;
  readonly password?: string;
  readonly protocols?: string[];
}

/** As Asterisk does it: it speaks first. */
function dial(
  { port }: AriListener,
  { path = PATH, password = ACCOUNT.password, protocols = ['ari'] }: DialOptions = {},
) {
  const authorization = `Basic ${Buffer.from(`${ACCOUNT.username}:${password}`).toString('base64')}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers: { authorization } });
  socket.on('open', () => socket.send(REGISTERED));
  socket.on('error', () => {});
  closing.push(() => socket.terminate());
  return socket;
}

/** The HTTP status with which it is turned away. */
async function refusal(socket: WebSocket): Promise<number | undefined> {
  const [, response] = await once(socket, 'unexpected-response');
  response.destroy();
  return response.statusCode;
}

async function opened({ dialIns }: { dialIns: DialIn[] }, use: Parameters<DialIn['open']>[0]): Promise<AriSocket> {
  await vi.waitFor(() => expect(dialIns).toHaveLength(1));
  const [dialIn] = dialIns.splice(0);
  if (!dialIn) throw new Error('nobody has dialled');
  return dialIn.open({ closeTimeoutMs: 200, ...use });
}

describe('an Asterisk that dials', () => {
  test('is served like one that was dialled: events, requests, and a clean close that asks it to go elsewhere', async () => {
    const here = await listen();
    const pbx = dial(here.listener);
    const types: string[] = [];
    const socket = await opened(here, { onEvent: ({ type }) => types.push(type) });
    expect(here.listener.sockets).toBe(1);
    pbx.on('message', (data) => {
      const { request_id } = JSON.parse(data.toString());
      pbx.send(JSON.stringify({ type: 'StasisStart', application: 'callfleet-1' }));
      pbx.send(JSON.stringify({ type: 'RESTResponse', request_id, status_code: 200, reason_phrase: 'OK' }));
    });
    expect(await socket.request(asterisk.ping())).toMatchObject({ ok: true });
    expect(types).toEqual(['ApplicationRegistered', 'StasisStart']);
    const closed = once(pbx, 'close');
    await socket.close();
    expect((await closed)[0]).toBe(1001);
  });

  test('loses nothing that it says before it is listened to', async () => {
    const here = await listen();
    const pbx = dial(here.listener);
    await once(pbx, 'open');
    for (let n = 0; n < 500; n += 1) pbx.send(JSON.stringify({ type: 'StasisStart', application: `${n}` }));
    await vi.waitFor(() => expect(here.dialIns).toHaveLength(1));
    const seen: unknown[] = [];
    await opened(here, { onEvent: (event) => seen.push(event.type === 'StasisStart' && event.application) });
    await vi.waitFor(() => expect(seen).toHaveLength(501));
    expect(seen.slice(1)).toEqual(Array.from({ length: 500 }, (_, n) => `${n}`));
  });

  test('and then says nothing is given up, with a close frame', async () => {
    const here = await listen();
    const pbx = dial(here.listener);
    pbx.removeAllListeners('open');
    const closed = once(pbx, 'close');
    const opening = opened(here, { onEvent: () => {}, connectTimeoutMs: 50 });
    await expect(opening).rejects.toMatchObject({ code: 'CF_ARI_TIMEOUT' });
    expect((await closed)[0]).toBe(1001);
  });

  test('that answers no ping any more is closed with a close frame too, before it is dropped', async () => {
    const here = await listen();
    const pbx = dial(here.listener);
    const closed = Promise.withResolvers<AriCloseInfo>();
    await opened(here, { onEvent: () => {}, pingIntervalMs: 30, onClose: closed.resolve });
    pbx.pause();
    expect(await closed.promise).toMatchObject({ by: 'silence' });
    const told = once(pbx, 'close');
    pbx.resume();
    expect((await told)[0]).toBe(1001);
  });

  test('is sent away to come again when nobody wants its socket, or not in time', async () => {
    const here = await listen({ handshakeTimeoutMs: 60 });
    const late = once(dial(here.listener), 'close');
    expect((await late)[0]).toBe(1013);
    const refused = once(dial(here.listener), 'close');
    await vi.waitFor(() => expect(here.dialIns).toHaveLength(2));
    here.dialIns[1]?.refuse();
    expect((await refused)[0]).toBe(1013);
  });
});

describe('who is turned away:', () => {
  test.each<[string, DialOptions, number, DialInRefusal]>([
    ['a wrong password', { password: 'wrong' }, 401, 'unauthorized'],
    ['no password', { password: '' }, 401, 'unauthorized'],
    ['a path that is nobody`s', { path: '/ari/pbx-b/callfleet-1' }, 401, 'unauthorized'],
    ['a WebSocket that is not for ARI', { protocols: ['chat'] }, 400, 'not-ari'],
  ])('%s', async (_, options, status, why) => {
    const { listener, dialIns, refusals } = await listen();
    expect(await refusal(dial(listener, options))).toBe(status);
    expect(refusals).toEqual([why]);
    expect(dialIns).toEqual([]);
  });

  test('a browser', async () => {
    const { listener, refusals } = await listen();
    expect((await fetch(`http://127.0.0.1:${listener.port}${PATH}`)).status).toBe(426);
    expect(refusals).toEqual(['not-websocket']);
  });

  test('one more than there is room for', async () => {
    const here = await listen({ maxConnections: 1 });
    await once(dial(here.listener), 'open');
    await once(dial(here.listener), 'error');
    expect(here.refusals).toEqual(['full']);
  });

  test('who connects and says nothing, or never comes to the end of his headers', async () => {
    const { listener } = await listen({ handshakeTimeoutMs: 100 });
    for (const said of ['', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-More: `]) {
      const socket = connect(listener.port, '127.0.0.1').on('error', () => {});
      socket.write(said);
      socket.resume();
      await once(socket, 'close');
    }
  });
});

describe('closing', () => {
  test('tells every Asterisk with a close frame, opened or not, and lets nobody in any more', async () => {
    const here = await listen();
    const served = dial(here.listener);
    await opened(here, { onEvent: () => {} });
    const waiting = dial(here.listener);
    await vi.waitFor(() => expect(here.dialIns).toHaveLength(1));
    const codes = Promise.all([served, waiting].map(async (socket) => (await once(socket, 'close'))[0]));
    await here.listener.close();
    expect(await codes).toEqual([1001, 1001]);
    await once(dial(here.listener), 'error');
  });

  test('does not wait for one that hangs for longer than its time limit', async () => {
    const here = await listen();
    const hanging = dial(here.listener);
    await opened(here, { onEvent: () => {} });
    hanging.pause();
    await here.listener.close();
    expect(here.listener.sockets).toBe(0);
  });
});

/** Bytes as they are; resolves when the other end has closed, or has had time to. */
async function throwAt(port: number, chunks: readonly (string | Uint8Array)[]): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => {});
  for (const chunk of chunks) socket.write(chunk);
  socket.resume().end();
  await once(socket, 'close');
}

describe('whatever comes, the next Asterisk is served', () => {
  const authorization = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`;
  const upgradeWith = (headers: string) => `GET ${PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
  const good = upgradeWith(
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ari\r\nAuthorization: ${authorization}\r\n`,
  );
  const header = fc.constantFrom(
    'Connection: Upgrade\r\n',
    'Upgrade: websocket\r\n',
    'Upgrade: h2c\r\n',
    'Sec-WebSocket-Version: 13\r\n',
    'Sec-WebSocket-Version: 99\r\n',
    'Sec-WebSocket-Key: short\r\n',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    'Sec-WebSocket-Protocol: ari\r\n',
    'Sec-WebSocket-Protocol: ,,\r\n',
    'Authorization: Basic\r\n',
    'Authorization: Basic ////\r\n',
    `Authorization: ${authorization}\r\n`,
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
  );
  const visit = fc.oneof(
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
    fc.array(header, { maxLength: 8 }).map((headers) => [upgradeWith(headers.join(''))]),
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }).map((frames) => [good, ...frames]),
    // An unmasked frame, one of 2^63 bytes, a continuation of nothing, a close of one byte, text that is not UTF-8.
    fc
      .constantFrom(
        [0x81, 0x01, 0x41],
        [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
        [0x80, 0x80, 0, 0, 0, 0],
        [0x88, 0x81, 0, 0, 0, 0, 3],
        [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff],
        [0xf1, 0x80, 0, 0, 0, 0],
      )
      .map((frame) => [good, Uint8Array.from(frame)]),
    fc.constant([`GET /${'x'.repeat(50_000)} HTTP/1.1\r\n\r\n`]),
    fc.constant([good, good]),
  );

  test('bytes, broken upgrades, and frames that are none', async () => {
    const here = await listen({ maxPayload: 65_536, handshakeTimeoutMs: 1000 });
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 4 }), fc.boolean(), async (visits, isOpened) => {
        const opener = setInterval(() => {
          for (const dialIn of here.dialIns.splice(0))
            if (isOpened) dialIn.open({ onEvent: () => {}, closeTimeoutMs: 20 }).catch(() => {});
            else dialIn.refuse();
        }, 1);
        await Promise.all(visits.map((chunks) => throwAt(here.listener.port, chunks)));
        await vi.waitFor(() => expect(here.listener.sockets).toBe(0));
        clearInterval(opener);
        here.dialIns.splice(0);
        const pbx = dial(here.listener);
        const socket = await opened(here, { onEvent: () => {} });
        await socket.close();
        pbx.terminate();
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  test('a frame above the bound costs its sender the connection, and nobody else', async () => {
    const here = await listen({ maxPayload: 1000 });
    const pbx = dial(here.listener);
    const closed = Promise.withResolvers<AriCloseInfo>();
    await opened(here, { onEvent: () => {}, onClose: closed.resolve });
    pbx.send('x'.repeat(1001));
    expect(await closed.promise).toMatchObject({ by: 'failure' });
    const next = dial(here.listener);
    await (await opened(here, { onEvent: () => {} })).close();
    next.terminate();
  });
});

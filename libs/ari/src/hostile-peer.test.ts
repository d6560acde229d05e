import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AriHttp } from './ari-http.ts';
import { type AriCloseInfo, AriSocket, type AriSocketOptions } from './ari-socket.ts';
import { FakeAsterisk } from './fake-asterisk.ts';
import { channels } from './generated/operations.gen.ts';

const credentials = { username: 'bot', password: 'secret' };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** A peer that does `answer` when the first bytes of a request have come. */
function peer(answer: (socket: Socket, request: string) => void): Promise<number> {
  return portOf(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => answer(socket, data.toString()));
      socket.resume();
    }),
  );
}

/** Two ways to the same peer. */
const ways = [
  {
    way: 'over the event socket',
    reach: async (port: number) =>
      (
        await AriSocket.connect({ url: `http://127.0.0.1:${port}`, ...credentials, apps: ['bot'], onEvent: () => {} })
      ).close(),
  },
  {
    way: 'over HTTP',
    reach: async (port: number) => {
      const http = new AriHttp({ url: `http://127.0.0.1:${port}`, ...credentials, maxPayload: 1024 * 1024 });
      await http.request(channels.list()).finally(() => http.close());
    },
  },
];

describe.each(ways)('$way, what is no Asterisk is refused with an error that says so:', ({ way, reach }) => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['bytes', Buffer.from([0, 1, 2, 255])],
    ['a TLS alert, where TLS was not asked for', Buffer.from([0x15, 3, 1, 0, 2, 2, 70])],
    ['headers without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
  ])('%s', async (_, bytes) => {
    const port = await peer((socket) => socket.end(bytes));
    await expect(reach(port)).rejects.toMatchObject({
      code: 'CF_ARI_UNEXPECTED',
      message: expect.stringMatching(/does not speak HTTP/),
    });
  });

  test.each([
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>It works!</html>'],
    ['a redirection', 'HTTP/1.1 302 Found\r\nLocation: https://pbx/\r\nContent-Length: 0\r\n\r\n'],
  ])('%s', async (__, bytes) => {
    const port = await peer((socket) => socket.end(bytes));
    await expect(reach(port)).rejects.toMatchObject({ code: 'CF_ARI_NOT_FOUND', mayHaveRun: false });
  });

  test.each([
    ['an end at once', (socket: Socket) => socket.end()],
    ['a reset', (socket: Socket) => socket.resetAndDestroy()],
    ['half an answer', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nConte')],
  ])('%s', async (___, answer) => {
    const port = await peer(answer);
    const code = way === 'over HTTP' ? 'CF_ARI_CLOSED' : 'CF_ARI_UNREACHABLE';
    await expect(reach(port)).rejects.toMatchObject({ code });
  });

  test('a body without an end is not read to its end', async () => {
    const sent = Promise.withResolvers<number>();
    const port = await peer((socket) => {
      socket.on('close', () => sent.resolve(socket.bytesWritten));
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 0x20)));
      };
      socket.on('drain', more);
      more();
    });
    await expect(reach(port)).rejects.toMatchObject({ code: 'CF_ARI_UNEXPECTED' });
    expect(await sent.promise).toBeLessThan(32 * 1024 * 1024);
  });
});

test('an upgrade that is none is refused', async () => {
  const answer = 'HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n';
  const port = await peer((socket) => socket.write(answer));
  await expect(ways[0]?.reach(port)).rejects.toMatchObject({ code: 'CF_ARI_UNEXPECTED' });
});

/** An event socket whose other end is in the test's hands, after the upgrade. */
async function openSocket(options: Partial<AriSocketOptions> = {}) {
  const upgraded = Promise.withResolvers<Socket>();
  const port = await peer((socket, request) => {
    const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
    socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    upgraded.resolve(socket);
  });
  const closed = Promise.withResolvers<AriCloseInfo>();
  const url = `http://127.0.0.1:${port}`;
  const ari = await AriSocket.connect({
    url,
    ...credentials,
    apps: ['bot'],
    onEvent: () => {},
    onClose: closed.resolve,
    ...options,
  });
  onTestFinished(() => ari.terminate());
  return { ari, pbx: await upgraded.promise, closed: closed.promise };
}

/** One WebSocket frame of up to 65,535 bytes (RFC 6455, section 5.2). */
function frame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const first = (isLast ? 0x80 : 0) | opcode;
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  return Buffer.concat([Buffer.from([first, 126, payload.length >> 8, payload.length & 0xff]), payload]);
}

describe('an event socket', () => {
  test.each([
    ['text that is no UTF-8', frame(1, Buffer.from([0xff, 0xfe]))],
    ['a masked frame', Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5])],
    ['an unknown opcode', Buffer.from([0x8b, 0])],
    ['a frame of 2^63 bytes', Buffer.from([0x81, 127, 127, 255, 255, 255, 255, 255, 255, 255])],
    ['a frame that announces more than the limit', Buffer.from([0x81, 127, 0, 0, 0, 0, 2, 0, 0, 1])],
    ['a compressed frame', Buffer.from([0xc1, 1, 65])],
    ['what is no WebSocket', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
    ['a close that is none', frame(8, Buffer.from([0, 1]))],
  ])('is ended by %s, and requests in flight fail', async (_, bytes) => {
    const { ari, pbx, closed } = await openSocket();
    const asked = ari.request(channels.list());
    asked.catch(() => {});
    pbx.write(bytes);
    expect(await closed).toMatchObject({ code: 1006, by: 'failure', error: expect.any(Error) });
    await expect(asked).rejects.toMatchObject({ code: 'CF_ARI_CLOSED', mayHaveRun: true });
  });

  test('that breaks within a frame tells no event', async () => {
    const onEvent = vi.fn();
    const { ari, pbx, closed } = await openSocket({ onEvent });
    pbx.end(frame(1, Buffer.from('{"type":"StasisEnd"}')).subarray(0, 15));
    expect(await closed).toMatchObject({ code: 1006, by: 'peer' });
    expect(onEvent).not.toHaveBeenCalled();
    expect(ari.state).toBe('closed');
  });

  test('on which a frame comes so slowly that it never ends is given up', async () => {
    const { pbx, closed } = await openSocket({ pingIntervalMs: 50 });
    pbx.write(frame(1, Buffer.alloc(100, 0x20)).subarray(0, 2));
    const drip = setInterval(() => pbx.write(' '), 10);
    onTestFinished(() => clearInterval(drip));
    expect(await closed).toMatchObject({ by: 'silence' });
  });

  test('on which a message of endless parts comes is ended', async () => {
    const { pbx, closed } = await openSocket({ maxPayload: 100_000 });
    const part = frame(0, Buffer.alloc(1000, 0x20), false);
    pbx.write(frame(1, Buffer.from('{'), false));
    const more = () => {
      while (!pbx.destroyed && pbx.write(part));
    };
    pbx.on('drain', more);
    more();
    expect(await closed).toMatchObject({ by: 'failure' });
  });

  test('whose peer sends pings and reads nothing is ended, and keeps no answers for it', async () => {
    const { pbx, closed } = await openSocket({ pingIntervalMs: 60_000 });
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(9, Buffer.alloc(125))));
    pbx.pause();
    const more = () => {
      while (!pbx.destroyed && pbx.write(pings));
    };
    pbx.on('drain', more);
    more();
    expect(await closed).toMatchObject({ code: 1006 });
  });

  test('whose peer does not read takes only so many requests', async () => {
    const { ari, pbx } = await openSocket({ pingIntervalMs: 60_000, maxInFlight: 100_000 });
    pbx.pause();
    const value = 'x'.repeat(60_000);
    const asked = Array.from({ length: 1000 }, () =>
      ari.request(channels.setChannelVar({ channelId: '1.2', variable: 'A', value })).catch((error: unknown) => error),
    );
    expect(await asked.at(-1)).toMatchObject({ code: 'CF_ARI_BUSY', mayHaveRun: false });
    ari.terminate();
    expect(await asked[0]).toMatchObject({ code: 'CF_ARI_CLOSED', mayHaveRun: true });
  });

  test('takes events as deep as JSON goes, and what a listener makes of them is its own affair', async () => {
    const onListenerError = vi.fn();
    const onEvent = vi.fn((event: unknown) => JSON.stringify(event));
    const { ari, pbx } = await openSocket({ onEvent, onListenerError });
    const deep = `{"type":"X","deep":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const half = Math.ceil(deep.length / 2);
    pbx.write(frame(1, Buffer.from(deep.slice(0, half)), false));
    pbx.write(frame(0, Buffer.from(deep.slice(half))));
    pbx.write(frame(1, Buffer.from('{"type":"StasisEnd"}')));
    await vi.waitFor(() => expect(ari.stats.events + ari.stats.malformedFrames).toBe(2));
    expect(ari.stats.listenerErrors).toBe(onListenerError.mock.calls.length);
    expect(onEvent).toHaveBeenLastCalledWith({ type: 'StasisEnd' }, '{"type":"StasisEnd"}');
  });

  test('outlives no bytes whatever with an open request: each is counted, or ends it', async () => {
    const anyFrame = fc
      .tuple(fc.constantFrom(0, 1, 2, 8, 9, 10, 3), fc.uint8Array({ maxLength: 200 }), fc.boolean())
      .map(([opcode, payload, isLast]) => frame(opcode, Buffer.from(payload), isLast));
    const anyText = fc.json().map((text) => frame(1, Buffer.from(text)));
    const anyBytes = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(anyText, anyFrame, anyBytes), { minLength: 1, maxLength: 8 }),
        async (parts) => {
          const { ari, pbx, closed } = await openSocket();
          const asked = ari.request(channels.list()).catch((error: { code: string }) => error.code);
          for (const bytes of parts) pbx.write(bytes);
          pbx.end();
          const { by } = await closed;
          expect(['peer', 'failure']).toContain(by);
          expect(await asked).toBe('CF_ARI_CLOSED');
          expect(ari.inFlight).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** For localhost alone, signed by itself, until 2126. It protects nothing. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUfsU1ALK30V37B41bqNMHQQfyU7MwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTExMDI0N1oYDzIxMjYxMDI4
MTEwMjQ3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQUao0/hIck74AKXYfOeu2szqdgXf/P2y6ZjZ4MLAV+QN8Qzex2H/+b
e0iBZlywjsHdUE1lnPZ7/dFyXYCxHZl3o2kwZzAdBgNVHQ4EFgQUJVumUl3n3Oxy
V1tvwObAbdDkLRYwHwYDVR0jBBgwFoAUJVumUl3n3OxyV1tvwObAbdDkLRYwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAM+1ozeBNiOyitZSSFI1LbDnmKLIRtg9wii8O5NK2cjnAiEAua9KyAC3
vLzlRWcpJpxRrxI9Nj3p+/wQqBIwmiFm8/o=
-----END CERTIFICATE-----
`;
const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXMj+HGjbkXAUYC7o
mnnBKSWNfHg07vJBp6gL0HiRWYqhRANCAAQUao0/hIck74AKXYfOeu2szqdgXf/P
2y6ZjZ4MLAV+QN8Qzex2H/+be0iBZlywjsHdUE1lnPZ7/dFyXYCxHZl3
-----END PRIVATE KEY-----
`;

describe('an Asterisk with TLS', () => {
  async function secured() {
    const fake = await FakeAsterisk.start();
    const plain = Number(new URL(fake.account.url).port);
    const server = createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      const inner = connectTcp(plain, '127.0.0.1');
      for (const one of [socket, inner]) one.on('error', () => {});
      socket.pipe(inner).pipe(socket);
    });
    server.on('tlsClientError', () => {});
    const port = await portOf(server);
    onTestFinished(() => fake.stop());
    return (host: string, ca?: string) => ({
      url: `https://${host}:${port}`,
      ...credentials,
      apps: ['bot'],
      onEvent: () => {},
      ca,
    });
  }

  test('whose certificate nobody vouches for is refused on both ways, before the password is sent', async () => {
    const account = await secured();
    const refused = { code: 'CF_ARI_TLS', mayHaveRun: false, message: expect.stringMatching(/SELF_SIGNED/) };
    await expect(AriSocket.connect(account('localhost'))).rejects.toMatchObject(refused);
    await expect(new AriHttp(account('localhost')).request(channels.list())).rejects.toMatchObject(refused);
  });

  test('whose certificate is for another name is refused on both ways', async () => {
    const account = await secured();
    const refused = { code: 'CF_ARI_TLS', mayHaveRun: false, message: expect.stringMatching(/ALTNAME/) };
    await expect(AriSocket.connect(account('127.0.0.1', CERTIFICATE))).rejects.toMatchObject(refused);
    await expect(new AriHttp(account('127.0.0.1', CERTIFICATE)).request(channels.list())).rejects.toMatchObject(
      refused,
    );
  });

  test('is reached with the certificate of its authority', async () => {
    const account = await secured();
    await (await AriSocket.connect(account('localhost', CERTIFICATE))).close();
  });
});

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type DialInAccount, isAuthorized } from '@callfleet/ari';
import type { TimeSource } from '@callfleet/media';
import { type WebSocket, WebSocketServer } from 'ws';
import { RelayError } from './errors.ts';
import { CONNECT_TIMEOUT_MS, connectionIdIn, type LegSocket } from './leg-socket.ts';

export interface LegSocketServerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** PEM. Without it the password and the audio go over the network as they are. */
  tls?: { cert: string; key: string } | undefined;
  /** The entry of the PBXs' websocket_client.conf that names this relay. */
  client: string;
  /** Legs at once. */
  maxLegs: number;
  time: TimeSource;
  /** @param from its IP address; nothing of what it sent is told */
  onRefused?: (why: LegRefusal, from: string) => void;
}

/** Why somebody who came was sent away. */
export type LegRefusal = 'not-http' | 'not-websocket' | 'unknown-leg' | 'unauthorized' | 'full';

const REFUSED_WITH = { 'not-websocket': 426, 'unknown-leg': 404, unauthorized: 401 } as const;

/** From connecting to the upgrade. Asterisk says at once what it wants. */
const HANDSHAKE_LIMIT_MS = 2000;
const LOOK_EVERY_MS = 500;

/** So many may be about to say what they want, beside the legs; one more is not let in. */
const MAX_UNKNOWN = 100;

/** Asterisk sends 20 ms in a message, 1920 bytes at most (`slin48`); a phone's own packets of Opus are no longer. */
const MAX_MESSAGE_BYTES = 16_384;

/** Text of HTTP headers before the upgrade. */
const MAX_HEADER_BYTES = 8192;

interface Expected {
  readonly account: () => DialInAccount | undefined;
  readonly arrived: (socket: WebSocket) => void;
}

/**
 * Where PBXs connect to with the WebSockets of their media legs, chan_websocket being the client. Each leg has a token, which only
 * we and the PBX know, and which is good for one connection; the PBX shows its credentials with it. Whoever has not both is sent away.
 */
export class LegSocketServer {
  readonly #options: LegSocketServerOptions;
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has('media') && 'media',
  });
  readonly #expected = new Map<string, Expected>();

  private constructor(options: LegSocketServerOptions) {
    this.#options = options;
    const limits = {
      headersTimeout: HANDSHAKE_LIMIT_MS,
      requestTimeout: HANDSHAKE_LIMIT_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    };
    this.#server = options.tls
      ? createTlsServer({ ...limits, ...options.tls, handshakeTimeout: HANDSHAKE_LIMIT_MS })
      : createServer(limits);
    this.#server.maxConnections = options.maxLegs + MAX_UNKNOWN;
    this.#server
      .on('request', (request, response) => {
        this.#tellRefused('not-websocket', request.socket);
        response.writeHead(REFUSED_WITH['not-websocket'], { connection: 'close', upgrade: 'websocket' }).end();
      })
      .on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
      .on('clientError', (_error, socket) => {
        this.#tellRefused('not-http', socket);
        socket.destroy();
      })
      .on('tlsClientError', (_error: Error, socket: Duplex) => this.#tellRefused('not-http', socket))
      .on('drop', (dropped) => options.onRefused?.('full', dropped?.remoteAddress ?? ''));
    this.#webSockets.on('wsClientError', (_error, socket, request) => {
      this.#tellRefused('not-websocket', request.socket);
      refuse(socket, 'not-websocket');
    });
  }

  /** @throws what listening throws: EADDRINUSE, EACCES; and TLS of a certificate that is none */
  static async listen(options: LegSocketServerOptions): Promise<LegSocketServer> {
    const server = new LegSocketServer(options);
    const listening = Promise.withResolvers<void>();
    const { host, port } = options;
    server.#server.once('error', listening.reject).listen({ host, port }, listening.resolve);
    await listening.promise;
    server.#server.off('error', listening.reject);
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The socket of a leg that is to come. @param account of its PBX, as it is when it comes */
  expect(account: () => DialInAccount | undefined): LegSocket {
    const { client, time } = this.#options;
    const token = randomBytes(16).toString('hex');
    const arrival = Promise.withResolvers<WebSocket | 'forgotten'>();
    let arrived: WebSocket | undefined;
    this.#expected.set(token, {
      account,
      arrived: (socket) => {
        arrived = socket;
        arrival.resolve(socket);
      },
    });
    return {
      parameters: { external_host: client, connection_type: 'client' },
      options: `v(leg=${token})`,
      connect: async (channelVariables, onMessage) => {
        if (connectionIdIn(channelVariables) !== client)
          throw new RelayError('CF_RELAY_BAD_PEER', `this WebSocket leg was not made with "${client}"`);
        const late = Promise.withResolvers<'late'>();
        const cancel = time.after(CONNECT_TIMEOUT_MS, () => late.resolve('late'));
        const socket = await Promise.race([arrival.promise, late.promise]);
        cancel();
        if (socket === 'late')
          throw new RelayError(
            'CF_RELAY_ATTACH_FAILED',
            `the PBX did not connect by "${client}" of its websocket_client.conf within ${CONNECT_TIMEOUT_MS} ms`,
          );
        if (socket === 'forgotten') throw new RelayError('CF_RELAY_ATTACH_FAILED', 'closed before the PBX connected');
        arrived = undefined;
        socket.on('message', onMessage);
        socket.resume();
        return socket;
      },
      forget: () => {
        this.#expected.delete(token);
        arrival.resolve('forgotten');
        arrived?.terminate();
      },
    };
  }

  /** Closes all connections too. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    for (const socket of this.#webSockets.clients) socket.terminate();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const token = new URLSearchParams(request.url?.split('?', 2)[1]).get('leg') ?? '';
    const expected = this.#expected.get(token);
    const why = this.#whyNot(expected, request);
    if (!expected || why) {
      this.#tellRefused(why ?? 'unknown-leg', socket);
      refuse(socket, why ?? 'unknown-leg');
      return;
    }
    socket.on('error', () => {});
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // Read when the leg is attached, so that nothing is lost.
      webSocket.pause();
      webSocket.on('error', () => {});
      // In the same turn as the look-up above: no other can have come with this token.
      this.#expected.delete(token);
      expected.arrived(webSocket);
    });
  }

  #whyNot(expected: Expected | undefined, request: IncomingMessage): keyof typeof REFUSED_WITH | undefined {
    if (!expected) return 'unknown-leg';
    const { authorization, 'sec-websocket-protocol': protocols = '' } = request.headers;
    if (!isAuthorized(authorization, expected.account())) return 'unauthorized';
    return protocols.split(',').some((protocol) => protocol.trim() === 'media') ? undefined : 'not-websocket';
  }

  #tellRefused(why: LegRefusal, socket: Duplex): void {
    const from = 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
    this.#options.onRefused?.(why, from);
  }
}

function refuse(socket: Duplex, why: keyof typeof REFUSED_WITH): void {
  const status = REFUSED_WITH[why];
  const ask = why === 'unauthorized' ? 'WWW-Authenticate: Basic realm="media"\r\n' : '';
  socket.on('error', () => {});
  // Not only ended: it may send on for ever.
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${ask}Connection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

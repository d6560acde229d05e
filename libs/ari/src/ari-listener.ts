import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { AriSocket, type AriSocketUse } from './ari-socket.ts';
import { type DialInAccount, isAuthorized } from './basic-credentials.ts';

/** Why somebody who came was not let in. */
export type DialInRefusal = 'not-http' | 'not-websocket' | 'not-ari' | 'unauthorized' | 'full';

export interface AriListenerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM. Without it the password and all that is said goes over the network as it is. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Who dials to this path; undefined: nobody. */
  readonly accountAt: (path: string) => DialInAccount | undefined;
  /** An Asterisk has dialled, and is who it says. Its socket waits, unread, until it is opened. */
  readonly onDialIn: (dialIn: DialIn) => void;
  /** `from`: its IP address. Nothing of what it sent. */
  readonly onRefused?: ((why: DialInRefusal, from: string) => void) | undefined;
  /** Connections at once, those that are not let in yet included. Default 1024. */
  readonly maxConnections?: number | undefined;
  /** Time limit from connecting to the upgrade, and from there to `open`, milliseconds. Default 5000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Time limit of the close handshake, milliseconds. Default 2000. */
  readonly closeTimeoutMs?: number | undefined;
  /** Largest frame accepted from Asterisk, bytes. Default 32 MiB: `GET /channels` of a full PBX is megabytes. */
  readonly maxPayload?: number | undefined;
}

/** A socket that an Asterisk has opened to us. */
export interface DialIn {
  /** As in the uri of its websocket_client.conf, without the query. */
  readonly path: string;
  /** Its IP address. */
  readonly from: string;
  /** Once; whoever opens it closes it. @throws AriTimeoutError, AriClosedError when Asterisk does not say anything */
  open(use: AriSocketUse): Promise<AriSocket>;
  /** Instead of `open`: Asterisk dials again, perhaps another one of us. */
  refuse(): void;
}

const REFUSED_WITH: Readonly<Record<DialInRefusal, number>> = {
  'not-http': 400,
  'not-websocket': 426,
  'not-ari': 400,
  unauthorized: 401,
  full: 503,
};
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
/** Node looks this often for connections that are over their time. */
const LOOK_EVERY_MS = 500;

/** Where Asterisks dial us: the other end of their outbound ARI WebSockets (ari.conf, `type = outbound_websocket`). */
export class AriListener {
  readonly #options: AriListenerOptions;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  /** Let in, and not opened yet. */
  readonly #waiting = new Set<WebSocket>();
  #port = 0;

  private constructor(options: AriListenerOptions) {
    const { tls, handshakeTimeoutMs = 5000, maxPayload = 32 * 1024 * 1024, maxConnections = 1024 } = options;
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload,
      perMessageDeflate: false,
      handleProtocols: () => 'ari',
    });
    const limits = {
      headersTimeout: handshakeTimeoutMs,
      requestTimeout: handshakeTimeoutMs,
      connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, handshakeTimeoutMs),
      keepAlive: true,
    };
    this.#server = tls
      ? createTlsServer({ ...limits, ...tls, handshakeTimeout: handshakeTimeoutMs })
      : createServer(limits);
    this.#server.maxConnections = maxConnections;
    this.#server
      .on('request', (request, response) => {
        this.#tellRefused('not-websocket', request);
        response.writeHead(REFUSED_WITH['not-websocket'], { connection: 'close', upgrade: 'websocket' }).end();
      })
      .on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
      .on('clientError', (_error, socket) => {
        options.onRefused?.('not-http', addressOf(socket));
        socket.destroy();
      })
      .on('tlsClientError', (_error: Error, socket: Duplex) => options.onRefused?.('not-http', addressOf(socket)))
      .on('drop', (dropped?: { remoteAddress?: string }) => options.onRefused?.('full', dropped?.remoteAddress ?? ''));
    this.#webSockets.on('wsClientError', (_error, socket, request) => {
      this.#tellRefused('not-websocket', request);
      refuse(socket, 'not-websocket');
    });
  }

  /** @throws what listening throws: EADDRINUSE, EACCES; and TLS of a certificate that is none */
  static async start(options: AriListenerOptions): Promise<AriListener> {
    const listener = new AriListener(options);
    const listening = Promise.withResolvers<void>();
    const { host, port } = options;
    // Gateways of one machine share the port, where the kernel can share it out.
    const reusePort = process.platform === 'linux';
    listener.#server.once('error', listening.reject).listen({ host, port, reusePort }, listening.resolve);
    await listening.promise;
    listener.#server.off('error', listening.reject);
    listener.#port = (listener.#server.address() as AddressInfo).port;
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  /** Sockets that are open, or wait to be opened. */
  get sockets(): number {
    return this.#webSockets.clients.size;
  }

  /** Nobody is let in any more; what is open stays. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
    this.#server.closeAllConnections();
    for (const webSocket of this.#waiting) {
      webSocket.resume();
      webSocket.close(GOING_AWAY);
    }
  }

  /** Closes what is open too, with a close handshake each; who does not answer it in time is dropped. */
  async close(): Promise<void> {
    this.stopListening();
    const open = [...this.#webSockets.clients];
    const closed = open.map((webSocket) => new Promise((resolve) => webSocket.once('close', resolve)));
    for (const webSocket of open) {
      webSocket.resume();
      webSocket.close(GOING_AWAY);
    }
    const timer = setTimeout(() => {
      for (const webSocket of open) webSocket.terminate();
    }, this.#options.closeTimeoutMs ?? 2000);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = pathOf(request);
    const why = this.#whyNot(request, path);
    if (why !== undefined) {
      this.#tellRefused(why, request);
      refuse(socket, why);
      return;
    }
    socket.on('error', () => {});
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#letIn(webSocket, path, request));
  }

  #whyNot(request: IncomingMessage, path: string): DialInRefusal | undefined {
    const { authorization, 'sec-websocket-protocol': protocols = '' } = request.headers;
    if (!isAuthorized(authorization, this.#options.accountAt(path))) return 'unauthorized';
    const speaksAri = protocols.split(',').some((protocol) => protocol.trim() === 'ari');
    return speaksAri ? undefined : 'not-ari';
  }

  #letIn(webSocket: WebSocket, path: string, request: IncomingMessage): void {
    const from = request.socket.remoteAddress ?? '';
    webSocket.pause();
    webSocket.on('error', () => {});
    this.#waiting.add(webSocket);
    const leave = (code: number) => {
      if (!this.#waiting.delete(webSocket)) return;
      webSocket.resume();
      webSocket.close(code);
    };
    const timer = setTimeout(leave, this.#options.handshakeTimeoutMs ?? 5000, TRY_AGAIN_LATER);
    webSocket.once('close', () => {
      clearTimeout(timer);
      this.#waiting.delete(webSocket);
    });
    this.#options.onDialIn({
      path,
      from,
      open: (use) => {
        clearTimeout(timer);
        this.#waiting.delete(webSocket);
        return AriSocket.accept(webSocket, `${from}${path}`, use);
      },
      refuse: () => {
        clearTimeout(timer);
        leave(TRY_AGAIN_LATER);
      },
    });
  }

  #tellRefused(why: DialInRefusal, { socket }: IncomingMessage): void {
    this.#options.onRefused?.(why, addressOf(socket));
  }
}

function refuse(socket: Duplex, why: DialInRefusal): void {
  const status = REFUSED_WITH[why];
  const ask = why === 'unauthorized' ? 'WWW-Authenticate: Basic realm="ari"\r\n' : '';
  socket.on('error', () => {});
  // Not only ended: it may send on for ever.
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${ask}Connection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function addressOf(socket: Duplex | { remoteAddress?: string }): string {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Answer, refused } from './answer.ts';
import type { Applications } from './applications.ts';
import { AriSocket } from './ari-socket.ts';
import type { MediaLegs } from './media-legs.ts';
import type { PbxClock } from './pbx-clock.ts';
import type { RestRequest } from './rest-routes.ts';

export interface AriServerOptions {
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly clock: PbxClock;
  readonly applications: Applications;
  readonly legs: MediaLegs;
  readonly answer: (request: RestRequest) => Answer | Promise<Answer>;
}

/** Above Asterisk's limit: it reads the frame to say that it is too large. */
const MOST_PAYLOAD_BYTES = 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

/** Asterisk's HTTP server: ARI, its event sockets, and the media of WebSocket legs. */
export class AriServer {
  readonly #options: AriServerOptions;
  readonly #events = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_PAYLOAD_BYTES });
  readonly #media = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 65_535,
    handleProtocols: () => 'media',
  });
  #server: Server | undefined;
  /** Event sockets that have been opened. */
  connections = 0;

  constructor(options: AriServerOptions) {
    this.#options = options;
  }

  /** @throws what listening throws */
  async listen(port: number): Promise<number> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void this.#answerHttp(request, response);
    });
    server.on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head));
    server.listen({ host: this.#options.host, port, backlog: 4096 });
    await once(server, 'listening');
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  /** Without a close handshake: as if the machine were gone. */
  dropSockets(): void {
    for (const socket of this.#events.clients) socket.terminate();
  }

  /** Everything drops. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.dropSockets();
    for (const socket of this.#media.clients) socket.terminate();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => {});
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://pbx');
    if (pathname.startsWith('/media/')) this.#upgradeMedia(request, stream, head, pathname.slice('/media/'.length));
    else if (pathname !== '/ari/events') refuse(stream, 404, 'Not Found');
    else if (!this.#isAllowed(request, searchParams)) refuse(stream, 401, 'Unauthorized');
    else if ((searchParams.get('app') ?? '') === '') refuse(stream, 400, 'Bad Request');
    else this.#upgradeEvents(request, stream, head, searchParams);
  }

  #upgradeEvents(request: IncomingMessage, stream: Duplex, head: Buffer, query: URLSearchParams): void {
    const { applications, clock, answer } = this.#options;
    const names = (query.get('app') as string).split(',');
    this.#events.handleUpgrade(request, stream, head, (socket) => {
      this.connections += 1;
      const sink = new AriSocket({ socket, stream, clock, answer });
      for (const name of names) applications.connect(name, sink, query.get('subscribeAll') === 'true');
      socket.on('close', () => {
        for (const name of names) applications.disconnect(name, sink);
      });
    });
  }

  #upgradeMedia(request: IncomingMessage, stream: Duplex, head: Buffer, id: string): void {
    const leg = this.#options.legs.incoming(decodeURIComponent(id));
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    if (!leg || !protocols.includes('media')) refuse(stream, 404, 'Not Found');
    else this.#media.handleUpgrade(request, stream, head, (socket) => leg.connect(socket));
  }

  async #answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://pbx');
    const { status, reason, body } = await this.#carryOut(request, pathname, searchParams);
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'content-length': Buffer.byteLength(text),
      ...(text !== '' && { 'content-type': 'application/json' }),
    };
    response.writeHead(status, reason, headers).end(text);
  }

  async #carryOut(request: IncomingMessage, pathname: string, search: URLSearchParams): Promise<Answer> {
    if (!pathname.startsWith('/ari/')) return refused(404, 'Not Found');
    if (!this.#isAllowed(request, search)) return refused(401, 'Authentication required', 'Unauthorized');
    const sent = Buffer.concat(await Array.fromAsync(request)).toString();
    let body: unknown;
    try {
      body = sent === '' ? undefined : JSON.parse(sent);
    } catch {
      return refused(400, 'Error parsing request body');
    }
    const { method = '' } = request;
    return this.#options.answer({
      method,
      path: pathname.slice('/ari/'.length),
      query: Object.fromEntries(search),
      body,
    });
  }

  #isAllowed({ headers }: IncomingMessage, search: URLSearchParams): boolean {
    const account = `${this.#options.username}:${this.#options.password}`;
    const key = search.get('api_key');
    if (key !== null) return key === account;
    return headers.authorization === `Basic ${Buffer.from(account).toString('base64')}`;
  }
}

function refuse(stream: Duplex, status: number, reason: string): void {
  stream.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** What the fake is asked, whichever way it came. */
export interface FakeRequest {
  readonly method: string;
  /** Below /ari/, still encoded. */
  readonly path: string;
  readonly query: Record<string, string>;
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly json?: unknown;
  /** Sent as it is, with `contentType`. */
  readonly text?: string;
  readonly contentType?: string;
}

/** No answer at all: `undefined`. */
type Handler = (request: FakeRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;

/** As much of an Asterisk's HTTP server as the tests of this library need; answers as 22.10.1 was seen to. */
export class FakeAsterisk {
  /** What is asked of ARI; the default finds nothing. */
  handler: Handler = () => ({ status: 404, reason: 'Not Found', json: { message: 'Resource not found' } });
  /** In place of the upgrade: a status, or no answer. */
  upgrade: 'accept' | 'ignore' | 'drop' | number = 'accept';
  readonly sockets: WebSocket[] = [];
  readonly upgrades: IncomingMessage[] = [];
  readonly #server: Server;
  readonly #wss: WebSocketServer;

  private constructor() {
    this.#wss = new WebSocketServer({ noServer: true });
    this.#server = createServer((request, response) => {
      void this.#http(request).then((answer) => {
        if (answer === undefined) return;
        const contentType = answer.contentType ?? 'application/json';
        const text = textOf(answer);
        response.writeHead(answer.status, answer.reason, text === '' ? {} : { 'content-type': contentType }).end(text);
      });
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.upgrades.push(request);
      socket.on('error', () => {});
      const status = isAllowed(request) ? this.upgrade : 401;
      if (status === 'ignore') return;
      if (status === 'drop') socket.destroy();
      else if (status !== 'accept') socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      else this.#wss.handleUpgrade(request, socket, head, (ws) => this.#accept(ws));
    });
  }

  static async start(): Promise<FakeAsterisk> {
    const fake = new FakeAsterisk();
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get account(): { url: string; username: string; password: string } {
    const { port } = this.#server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, username: 'bot', password: 'secret' };
  }

  /** To every event socket; a string as a text frame as it is. */
  send(message: unknown): void {
    for (const socket of this.sockets)
      socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  async stop(): Promise<void> {
    for (const { socket } of this.upgrades) socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #accept(ws: WebSocket): void {
    this.sockets.push(ws);
    ws.on('error', () => {});
    ws.on('message', async (data) => {
      const { request_id, transaction_id, method, uri, query_strings, message_body } = JSON.parse(data.toString());
      const query = Object.fromEntries(
        query_strings.map((one: { name: string; value: string }) => [one.name, one.value]),
      );
      const answer = await this.handler({ method, path: uri, query, body: parsed(message_body) });
      if (answer === undefined) return;
      const text = textOf(answer);
      ws.send(
        JSON.stringify({
          type: 'RESTResponse',
          transaction_id,
          request_id,
          status_code: answer.status,
          reason_phrase: answer.reason ?? 'OK',
          uri,
          ...(text !== '' && { content_type: answer.contentType ?? 'application/json', message_body: text }),
          application: 'bot',
          timestamp: '2026-11-21T05:51:03.518+0000',
        }),
      );
    });
  }

  async #http(request: IncomingMessage): Promise<FakeAnswer | undefined> {
    if (!isAllowed(request))
      return { status: 401, reason: 'Unauthorized', json: { message: 'Authentication required' } };
    const url = new URL(request.url ?? '', 'http://fake');
    const chunks = await Array.fromAsync(request);
    return this.handler({
      method: request.method ?? '',
      path: url.pathname.replace('/ari/', ''),
      query: Object.fromEntries(url.searchParams),
      body: parsed(Buffer.concat(chunks).toString()),
    });
  }
}

function isAllowed(request: IncomingMessage): boolean {
  return request.headers.authorization === `Basic ${Buffer.from('bot:secret').toString('base64')}`;
}

function textOf({ json, text }: FakeAnswer): string {
  return text ?? (json === undefined ? '' : JSON.stringify(json));
}

function parsed(text: string | undefined): unknown {
  return text === undefined || text === '' ? undefined : JSON.parse(text);
}

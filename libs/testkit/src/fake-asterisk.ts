import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type FakeAnswer, FakeRest } from './fake-asterisk-rest.ts';

export interface FakeAsteriskOptions {
  /** Its system name, and the beginning of its channels' ids. */
  readonly name: string;
  /** Default: any free one. */
  readonly port?: number;
}

/** The event socket of one Stasis application. */
interface EventSocket {
  readonly ws: WebSocket;
  readonly stream: Duplex;
}

/**
 * As much of an Asterisk as a gateway notices: HTTP, event sockets with REST over them, applications and their channels. It has no
 * telephony: what happens on it is what it is told to {@link send}. Answers and events have the form of 22.10.1's.
 */
export class FakeAsterisk {
  readonly name: string;
  readonly username = 'callfleet';
  readonly password = 'callfleet';
  readonly rest: FakeRest;
  readonly #server: Server;
  readonly #wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #sockets = new Map<string, EventSocket>();
  /** How often each application was registered. */
  readonly #registrations = new Map<string, number>();

  private constructor({ name }: FakeAsteriskOptions) {
    this.name = name;
    this.rest = new FakeRest((application) => this.#sockets.has(application));
    this.#server = createServer((request, response) => void this.#answerHttp(request, response));
    this.#server.on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head));
  }

  static async start(options: FakeAsteriskOptions): Promise<FakeAsterisk> {
    const fake = new FakeAsterisk(options);
    await once(fake.#server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
    return fake;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Applications whose event socket stands. */
  get applications(): string[] {
    return [...this.#sockets.keys()].sort();
  }

  /** How often a socket came for this application: more than once when it changed hands. */
  registrations(application: string): number {
    return this.#registrations.get(application) ?? 0;
  }

  /** Sends events, as text, to whoever has the application's socket; all in one write. @returns false when nobody has it */
  send(application: string, texts: readonly string[]): boolean {
    const socket = this.#sockets.get(application);
    if (!socket) return false;
    socket.stream.cork();
    for (const text of texts) socket.ws.send(text);
    socket.stream.uncork();
    return true;
  }

  /** What the application's socket has not taken yet, bytes. */
  unsent(application: string): number {
    return this.#sockets.get(application)?.ws.bufferedAmount ?? 0;
  }

  async stop(): Promise<void> {
    for (const { ws } of this.#sockets.values()) ws.terminate();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => {});
    const applications = new URL(request.url ?? '', 'http://fake').searchParams.get('app')?.split(',') ?? [];
    if (!this.#isAllowed(request)) return void stream.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
    this.#wss.handleUpgrade(request, stream, head, (ws) => {
      ws.on('error', () => {});
      ws.on('message', (data) => this.#answerFrame(ws, data.toString()));
      for (const application of applications) this.#register(application, { ws, stream });
      ws.on('close', () => {
        for (const application of applications)
          if (this.#sockets.get(application)?.ws === ws) this.#sockets.delete(application);
      });
    });
  }

  /** A newer socket takes the application over; the older one is told, and stays open. */
  #register(application: string, socket: EventSocket): void {
    const older = this.#sockets.get(application);
    older?.ws.send(JSON.stringify({ type: 'ApplicationReplaced', timestamp: asteriskTime(), application }));
    this.#sockets.set(application, socket);
    this.#registrations.set(application, this.registrations(application) + 1);
  }

  #answerFrame(ws: WebSocket, text: string): void {
    const { request_id, transaction_id, method, uri, query_strings = [], message_body } = JSON.parse(text);
    const query = query_strings.map((one: { name: string; value: string }) => [one.name, one.value]);
    const body = message_body ? JSON.parse(message_body) : undefined;
    const answer = this.rest.answer({ method, path: uri, query: Object.fromEntries(query), body });
    const message = textOf(answer);
    ws.send(
      JSON.stringify({
        type: 'RESTResponse',
        transaction_id,
        request_id,
        status_code: answer.status,
        reason_phrase: answer.reason,
        uri,
        ...(message !== '' && { content_type: 'application/json', message_body: message }),
        timestamp: asteriskTime(),
      }),
    );
  }

  async #answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake');
    const sent = Buffer.concat(await Array.fromAsync(request)).toString();
    const answer = this.#isAllowed(request)
      ? this.rest.answer({
          method: request.method ?? '',
          path: pathname.replace('/ari/', ''),
          query: Object.fromEntries(searchParams),
          body: sent === '' ? undefined : JSON.parse(sent),
        })
      : { status: 401, reason: 'Unauthorized', body: { message: 'Authentication required' } };
    const text = textOf(answer);
    const headers = text === '' ? {} : { 'content-type': 'application/json' };
    response.writeHead(answer.status, answer.reason, headers).end(text);
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    return headers.authorization === `Basic ${Buffer.from(`${this.username}:${this.password}`).toString('base64')}`;
  }
}

/** A time, in milliseconds since the epoch, as Asterisk writes it. */
export function asteriskTime(at = Date.now()): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}

function textOf({ body }: FakeAnswer): string {
  return body === undefined ? '' : JSON.stringify(body);
}

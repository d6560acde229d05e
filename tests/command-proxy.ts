import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket, WebSocketServer } from 'ws';

/** One request to the PBX, over an event socket or HTTP: `POST channels/x/play/y?media=sound:beep`. */
type Request = string;

/** What happens to a request: it goes its way; or it stays `in-hand`, either never sent to the PBX or its answer never sent back. */
export type Fate = 'passes' | 'not-sent' | 'not-answered';

interface Told {
  readonly type?: string;
  readonly channel?: { readonly id: string; readonly caller: { readonly number: string } };
}

export interface CommandProxyOptions {
  /** Asked of each request. */
  readonly fateOf: (request: Request) => Fate;
  /** Told each event, as often as there are event sockets that are told it. */
  readonly onEvent: (event: Told) => void;
}

/** A way to a PBX on which requests, or their answers, can be lost. */
export class CommandProxy {
  readonly #options: CommandProxyOptions;
  readonly #to: URL;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(httpUrl: string, options: CommandProxyOptions) {
    this.#options = options;
    this.#to = new URL(httpUrl);
    this.#server = createServer((request, response) => void this.#passHttp(request, response));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#passSocket(client, request)),
    );
  }

  /** @param httpUrl of the PBX */
  static async start(httpUrl: string, options: CommandProxyOptions): Promise<CommandProxy> {
    const proxy = new CommandProxy(httpUrl, options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** In place of the PBX's own. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection that stands. */
  breakAll(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #passHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const fate = this.#options.fateOf(`${method} ${decodeURIComponent(url.replace(/^\/ari\//, ''))}`);
    if (fate === 'not-sent') return;
    const body = await text(request);
    const { authorization = '', 'content-type': contentType = 'application/json' } = headers;
    try {
      const answer = await fetch(new URL(url, this.#to), {
        method,
        headers: { authorization, 'content-type': contentType },
        ...(body && { body }),
      });
      const answered = Buffer.from(await answer.arrayBuffer());
      if (fate === 'not-answered') return;
      const type = answer.headers.get('content-type');
      response.writeHead(answer.status, answer.statusText, type ? { 'content-type': type } : {});
      response.end(answered);
    } catch {
      response.destroy();
    }
  }

  #passSocket(client: WebSocket, { url = '/', headers }: IncomingMessage): void {
    const pbx = new WebSocket(new URL(url, this.#to.href.replace('http', 'ws')), {
      headers: { authorization: headers.authorization ?? '' },
    });
    const open = new Promise((resolve) => pbx.once('open', resolve));
    const unanswered = new Set<string>();
    client.on('message', async (data) => {
      const request = JSON.parse(data.toString());
      const query = (request.query_strings ?? []).map(
        ({ name, value }: { name: string; value: string }) => `${name}=${value}`,
      );
      const fate = this.#options.fateOf(
        `${request.method} ${decodeURIComponent(request.uri)}${query.length > 0 ? `?${query.join('&')}` : ''}`,
      );
      if (fate === 'not-sent') return;
      if (fate === 'not-answered') unanswered.add(request.request_id);
      await open;
      pbx.send(data.toString());
    });
    pbx.on('message', (data) => {
      const message = JSON.parse(data.toString());
      if (message.type !== 'RESTResponse') this.#options.onEvent(message);
      else if (unanswered.has(message.request_id)) return;
      client.send(data.toString());
    });
    for (const [one, other] of [
      [client, pbx],
      [pbx, client],
    ] as const) {
      one.on('close', () => other.terminate());
      one.on('error', () => other.terminate());
    }
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const HOST = '127.0.0.1';
const MOST_BODY_BYTES = 1024 * 1024;

const recordsOrder = z.strictObject({ pbx: z.string(), channels: z.array(z.string()).max(1000) });
const killOrder = z.strictObject({ victim: z.enum(['worker', 'gateway', 'relay', 'nats']) });

export interface DeskParts {
  /** Of each channel in its order; null: it has none. */
  readonly recordsOf: (pbx: string, channels: readonly string[]) => Promise<unknown[]>;
  readonly kill: (victim: z.output<typeof killOrder>['victim']) => Promise<string>;
}

/** What k6 asks of us, on loopback: call records, and that something is killed, since it is we who own the processes. */
export class Desk {
  readonly #parts: DeskParts;
  readonly #server: Server;

  private constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#server = createServer((request, response) => {
      void this.#reply(request).then(
        (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        (error: Error) => response.writeHead(400).end(error.message),
      );
    });
  }

  static async open(parts: DeskParts): Promise<Desk> {
    const desk = new Desk(parts);
    desk.#server.listen(0, HOST);
    await once(desk.#server, 'listening');
    return desk;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #reply(request: IncomingMessage): Promise<unknown> {
    const body = await bodyOf(request);
    switch (`${request.method} ${request.url}`) {
      case 'POST /records': {
        const { pbx, channels } = recordsOrder.parse(body);
        return { records: await this.#parts.recordsOf(pbx, channels) };
      }
      case 'POST /kill':
        return { killed: await this.#parts.kill(killOrder.parse(body).victim) };
    }
    throw new Error(`there is no ${request.method} ${request.url}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MOST_BODY_BYTES) throw new Error(`a body has ${MOST_BODY_BYTES} bytes at most`);
  }
  return JSON.parse(text);
}

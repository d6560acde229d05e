import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';

export interface HttpOptions {
  host: string;
  /** 0: any free one. Undefined: there is no endpoint. */
  port?: number | undefined;
}

/** The configured address can't be listened on. */
class HttpListenError extends Error {
  override readonly name = 'HttpListenError';
  readonly code = 'CF_HTTP_LISTEN';
}

export interface HttpEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** What a request may be and take: a probe or a scrape is one line and a few headers. */
const LIMITS = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000 };
const MAX_CONNECTIONS = 64;

const PLAIN = 'text/plain; charset=utf-8';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Answers GET and HEAD of `/livez`, `/readyz` and `/metrics`. Without authentication, so no address, credential or
 * setting is in any answer; names of PBXs, shards and programs are.
 *
 * @throws HttpListenError
 */
export async function startHttpEndpoint(
  { host, port }: { host: string; port: number },
  health: Health,
  scrape: () => Promise<string>,
): Promise<HttpEndpoint> {
  const server = createServer(LIMITS, (request, response) => void answer(request, response, health, scrape));
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await once(server.listen(port, host), 'listening');
  } catch (cause) {
    throw new HttpListenError(`telemetry.http can't listen on ${host}:${port}: ${reasonOf(cause)}`, { cause });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
  scrape: () => Promise<string>,
): Promise<void> {
  const { status, type, body } = await answerTo(request, health, scrape);
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.setHeader('cache-control', 'no-store');
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  // A body that was sent along is not read.
  if (!request.complete) response.setHeader('connection', 'close');
  response.end(body);
}

async function answerTo(request: IncomingMessage, health: Health, scrape: () => Promise<string>): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, type: PLAIN, body: 'only GET and HEAD\n' };
  switch (request.url?.split('?', 1)[0]) {
    case '/livez':
      return { status: 200, type: PLAIN, body: 'ok\n' };
    case '/readyz': {
      const readiness = health.readiness();
      const isReady = readiness.state === 'RUNNING' && readiness.missing.length === 0;
      const { details, ...rest } = readiness;
      const body = `${JSON.stringify({ ...rest, ...details })}\n`;
      return { status: isReady ? 200 : 503, type: 'application/json', body };
    }
    case '/metrics':
      return scrape().then(
        (body) => ({ status: 200, type: PROMETHEUS, body }),
        () => ({ status: 500, type: PLAIN, body: 'the metrics could not be read\n' }),
      );
    default:
      return { status: 404, type: PLAIN, body: 'there are /livez, /readyz and /metrics\n' };
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return 'the port is in use. Each process needs its own: see telemetry.http.port and up.httpPortFrom';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address (telemetry.http.host)';
    case 'EACCES':
      return 'it may not be opened by this user';
    default:
      return (error as Error).message;
  }
}

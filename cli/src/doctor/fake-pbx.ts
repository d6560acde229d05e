import { createHash } from 'node:crypto';
import { createServer, Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { type Config, loadConfig, type PbxConfig } from '@callfleet/config';
import { DIALPLAN_MODULES, requiredModules } from '@callfleet/pbx';

export interface FakePbxOptions {
  version?: string;
  entityId?: string;
  startedAt?: string;
  readOnly?: boolean;
  /** How far its clock is ahead, milliseconds. */
  clockAheadMs?: number;
  notLoaded?: readonly string[];
  /** Applications that a gateway holds. */
  served?: readonly string[];
  /** http.conf's prefix. */
  prefix?: string;
  eventSocket?: boolean;
}

export interface FakePbx {
  readonly url: string;
  /** Applications that were registered by an event socket. */
  readonly registered: string[];
  close(): Promise<void>;
}

export const PASSWORD = 'right';

/** What the doctor sees of an Asterisk, each trait to be chosen. */
export async function startFakePbx(options: FakePbxOptions = {}): Promise<FakePbx> {
  const { prefix, eventSocket = true } = options;
  const base = prefix === undefined ? '/ari' : `/${prefix}/ari`;
  const registered: string[] = [];
  const server = createServer((request, response) => answer(base, options, request, response));
  server.on('upgrade', (request, socket) => {
    if (!eventSocket) return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    registered.push(new URL(request.url ?? '', 'http://x').searchParams.get('app') ?? '');
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    // The only frame that comes is a close.
    return socket.on('data', () => socket.end(Buffer.from([0x88, 0x00])));
  });
  const url = await listen(server);
  return {
    url,
    registered,
    close: () => closeServer(server),
  };
}

/** A server on a free port. @returns its http:// url */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function closeServer(server: Server): Promise<void> {
  if (server instanceof HttpServer) server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** A configuration of these PBXs and nothing else. */
export function configOf(pbxs: readonly Partial<PbxConfig>[], env: NodeJS.ProcessEnv = {}): Config {
  const complete = pbxs.map((pbx, index) => ({
    name: `pbx-${index + 1}`,
    url: 'http://127.0.0.1:1',
    username: 'callfleet',
    password: PASSWORD,
    ...pbx,
  }));
  return loadConfig({ env: { CALLFLEET_PBXS: JSON.stringify(complete), ...env } });
}

function answer(base: string, options: FakePbxOptions, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '', 'http://x');
  response.setHeader('server', 'Asterisk/22.10.1');
  if (!pathname.startsWith(`${base}/`)) {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<address>Asterisk/22.10.1</address>');
    return;
  }
  response.setHeader('content-type', 'application/json');
  const [status, body] = ari(pathname.slice(base.length), options, request);
  response.writeHead(status).end(JSON.stringify(body));
}

function ari(path: string, options: FakePbxOptions, request: IncomingMessage): [status: number, body: unknown] {
  const { version = '22.10.1', entityId = '02:00:00:00:00:01', startedAt = '2026-01-01T00:00:00.000+0000' } = options;
  const credentials = Buffer.from(`callfleet:${PASSWORD}`).toString('base64');
  if (request.headers.authorization !== `Basic ${credentials}`) return [401, { message: 'Authentication required' }];
  if (request.method !== 'GET')
    return options.readOnly ? [403, { message: 'Write access denied' }] : [404, { message: 'Channel not found' }];
  const app = /^\/applications\/(.+)$/.exec(path)?.[1];
  if (app !== undefined) return options.served?.includes(app) ? [200, { name: app }] : [404, { message: 'not found' }];
  switch (path) {
    case '/asterisk/info':
      return [200, { system: { version, entity_id: entityId }, status: { startup_time: startedAt } }];
    case '/asterisk/ping':
      return [200, { timestamp: new Date(Date.now() + (options.clockAheadMs ?? 0)).toISOString() }];
    case '/asterisk/modules':
      return [200, modulesBut(options.notLoaded ?? [])];
    default:
      return [404, { message: 'Resource not found' }];
  }
}

function modulesBut(notLoaded: readonly string[]): { name: string; status: string }[] {
  const all = [...requiredModules('rtp'), ...requiredModules('websocket'), ...DIALPLAN_MODULES];
  return all.map((name) => ({ name, status: notLoaded.includes(name) ? 'Not Running' : 'Running' }));
}

import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import type { AriAddress } from './address.ts';
import { connectTimeout, neverConnected, notHttp, upgradeRefused } from './connect-failure.ts';
import { AriUnreachableError } from './errors.ts';

/** Starts to open the event socket; {@link whenOpen} says how that ends. */
export function openWebSocket(
  { origin, basePath, authorization }: AriAddress,
  {
    apps,
    ca,
    maxPayload = 32 * 1024 * 1024,
  }: { apps: readonly string[]; ca?: string | undefined; maxPayload?: number | undefined },
): WebSocket {
  const app = apps.map(encodeURIComponent).join(',');
  const options: ClientOptions = { headers: { authorization }, maxPayload, perMessageDeflate: false };
  if (ca !== undefined) options.ca = ca;
  return new WebSocket(`${origin.replace(/^http/, 'ws')}${basePath}events?app=${app}`, options);
}

/** Waits until the socket is open; otherwise drops it and throws the AriError, or the signal's reason. */
export function whenOpen(socket: WebSocket, url: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.off('open', open).off('error', error).off('unexpected-response', refused);
    };
    const fail = (reason: unknown) => {
      finish();
      // The socket reports its own end as an error, which is no news.
      socket.on('error', () => {});
      socket.terminate();
      reject(reason);
    };
    const open = () => {
      finish();
      resolve();
    };
    const error = (cause: Error) =>
      fail(
        neverConnected(cause, url) ??
          notHttp(cause, url, false) ??
          new AriUnreachableError(`${url} drops the connection instead of opening the event socket`, { url, cause }),
      );
    const refused = (_request: unknown, response: IncomingMessage) =>
      fail(upgradeRefused(response.statusCode ?? 0, response.headers['content-type'], url));
    const abort = () => fail(signal?.reason);
    const timer = setTimeout(() => fail(connectTimeout(url)), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('open', open).on('error', error).on('unexpected-response', refused);
  });
}

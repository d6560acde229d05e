import type { AriRequest } from '@callfleet/ari';

/** These wait for somebody else, read or write many files, or load code, while Asterisk executes them. */
const SLOW = new Set([
  'GET /recordings/stored',
  'POST /recordings/stored/{recordingName}/copy',
  'GET /sounds',
  'GET /asterisk/modules',
  'POST /asterisk/modules/{moduleName}',
  'PUT /asterisk/modules/{moduleName}',
  'DELETE /asterisk/modules/{moduleName}',
  'PUT /asterisk/config/dynamic/{configClass}/{objectType}/{id}',
]);
/** Transports by which Asterisk connects, unless it is told to be the server. */
const CONNECTED = new Set(['tcp', 'websocket']);
const EXTERNAL_MEDIA = 'POST /channels/externalMedia';

/**
 * Asterisk executes the requests of one event socket one after another: what takes long goes over HTTP, beside them, where there is
 * a way. A leg with which Asterisk connects to its other end is one of these: it does so before it answers.
 */
export function isSlow({ method, route, query }: Pick<AriRequest<unknown>, 'method' | 'route' | 'query'>): boolean {
  const name = `${method} ${route}`;
  return (
    SLOW.has(name) ||
    (name === EXTERNAL_MEDIA && CONNECTED.has(String(query.transport)) && query.connection_type !== 'server')
  );
}

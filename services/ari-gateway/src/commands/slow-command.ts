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

/** Asterisk carries these out, and answers, only when whatever plays to the channel or records it is over. */
const IN_TURN = new Set([
  'POST /channels/{channelId}/variable',
  'POST /channels/{channelId}/variables',
  'POST /bridges/{bridgeId}/addChannel',
  'POST /bridges/{bridgeId}/removeChannel',
]);

/**
 * Whether a request may have to wait for the end of a sound, which can be minutes away (seen on 22.10.1): on a socket all others would wait
 * with it, and behind several of them on few connections even the question whether the PBX hangs.
 */
export function waitsItsTurn({ method, route }: Pick<AriRequest<unknown>, 'method' | 'route'>): boolean {
  return IN_TURN.has(`${method} ${route}`);
}

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

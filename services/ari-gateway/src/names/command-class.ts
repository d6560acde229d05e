import type { AriRequest } from '@callfleet/ari';
import { isMirror } from './mirror-name.ts';

/**
 * What a command costs a PBX, and how urgent it is. `control`: it ends, frees or hands on something, or is cheap and holds up
 * a caller; it never waits behind the others. `media`: it makes Asterisk work on audio. `originate`: it makes a channel.
 */
export const commandClasses = ['control', 'media', 'originate', 'read'] as const;
export type CommandClass = (typeof commandClasses)[number];

/** What is ended under its own id, and where in the path that is. */
const ENDINGS = new Map([
  ['DELETE /channels/{channelId}', 1],
  ['DELETE /bridges/{bridgeId}', 1],
  ['DELETE /playbacks/{playbackId}', 1],
  ['DELETE /recordings/live/{recordingName}', 2],
  ['POST /recordings/live/{recordingName}/stop', 2],
]);
const ADD_TO_BRIDGE = 'POST /bridges/{bridgeId}/addChannel';
const SUBSCRIBE = 'POST /applications/{applicationName}/subscription';
const REMOVE_FROM_BRIDGE = 'POST /bridges/{bridgeId}/removeChannel';

const CONTROL = new Set([
  ...ENDINGS.keys(),
  REMOVE_FROM_BRIDGE,
  'POST /channels/{channelId}/answer',
  'POST /channels/{channelId}/continue',
  'POST /channels/{channelId}/move',
  'POST /channels/{channelId}/redirect',
  // Goes before `continue`, and says why.
  'POST /channels/{channelId}/variable',
  'POST /channels/{channelId}/variables',
  // Without it the end of a call is not heard of.
  SUBSCRIBE,
]);

const ORIGINATE = new Set([
  'POST /channels',
  'POST /channels/create',
  'POST /channels/{channelId}',
  'POST /channels/{channelId}/dial',
]);

type Asked = Pick<AriRequest<unknown>, 'method' | 'route' | 'path' | 'query'>;

const nameOf = ({ method, route }: Asked) => `${method} ${route}`;

/** What is not known here is taken for `media`: it waits its turn, in the order in which it was asked for. */
export function classOf(request: Asked): CommandClass {
  const name = nameOf(request);
  // A mirror can wait.
  if (name === SUBSCRIBE && isMirror(request.path.split('/')[1] ?? '')) return 'media';
  if (CONTROL.has(name)) return 'control';
  if (ORIGINATE.has(name)) return 'originate';
  return request.method === 'GET' ? 'read' : 'media';
}

const IDS_IN_QUERY = ['channelId', 'bridgeId', 'playbackId', 'snoopId', 'name', 'channel'];

/**
 * What must not be sent any more, although it waits, when `control` overtakes it: a playback that is stopped before it was begun
 * would begin afterwards, and nobody would stop it. Undefined where `control` ends nothing.
 */
export function withdrawnBy(control: Asked): ((waiting: Asked) => boolean) | undefined {
  const name = nameOf(control);
  const segments = control.path.split('/');
  if (name === REMOVE_FROM_BRIDGE)
    return (waiting) =>
      nameOf(waiting) === ADD_TO_BRIDGE &&
      waiting.path.split('/')[1] === segments[1] &&
      waiting.query.channel === control.query.channel;
  const at = ENDINGS.get(name);
  const segment = at === undefined ? undefined : segments[at];
  if (segment === undefined) return undefined;
  // In paths it is encoded as here, in queries it is not.
  const id = decodeURIComponent(segment);
  return ({ path, query }) => path.split('/').includes(segment) || IDS_IN_QUERY.some((key) => query[key] === id);
}

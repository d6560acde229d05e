import type { AriRequest } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';

type Asked = Pick<AriRequest<unknown>, 'method' | 'route' | 'path'>;

/** What is begun under an id of ours, where in the path that is, and the event that tells of it. */
const BEGINNINGS = new Map([
  ['POST /channels/{channelId}/dial', { type: 'ari.Dial', at: 1 }],
  ['POST /channels/{channelId}/play/{playbackId}', { type: 'ari.PlaybackStarted', at: 3 }],
  ['POST /bridges/{bridgeId}/play/{playbackId}', { type: 'ari.PlaybackStarted', at: 3 }],
]);

/**
 * What a call's events say was begun. Where an answer was lost nothing else can say it: a short sound is gone from the PBX by
 * then, and a leg that is dialled once more before it rings is lost, while its phone rings on (22.10.1).
 */
export class Begun {
  readonly #seen = new Set<string>();

  /** Told every event of the call, from its start. */
  hear({ type, data }: CallEvent): void {
    if (type === 'ari.PlaybackStarted')
      this.#seen.add(`${type} ${(data as { playback?: { id?: string } }).playback?.id}`);
    else if (type === 'ari.Dial') this.#seen.add(`${type} ${(data as { peer?: { id?: string } }).peer?.id}`);
  }

  /** Whether an event tells that it was carried out. */
  static tellsOf({ method, route }: Asked): boolean {
    return BEGINNINGS.has(`${method} ${route}`);
  }

  /** Whether an event has told that this was carried out: it must not be done again. */
  includes({ method, route, path }: Asked): boolean {
    const beginning = BEGINNINGS.get(`${method} ${route}`);
    if (!beginning || this.#seen.size === 0) return false;
    return this.#seen.has(`${beginning.type} ${decodeURIComponent(path.split('/')[beginning.at] ?? '')}`);
  }
}

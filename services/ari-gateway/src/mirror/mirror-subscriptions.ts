import { type AriRequest, type AriRequester, applications } from '@callfleet/ari';
import type { CallId } from '@callfleet/identity';
import type { IncomingEvent } from '../events/channel-index.ts';
import type { PbxSnapshot } from '../events/pbx-snapshot.ts';
import { mirrorOf } from '../names/mirror-name.ts';
import { beginMirrorCounts, countMirrorFailure } from '../telemetry/metrics.ts';

/** Has a shard's channels and bridges told to its mirror too. What fails is counted, and does no harm to the call. */
export class MirrorSubscriptions {
  readonly #shard: { readonly pbx: string; readonly shard: string };
  readonly #ari: AriRequester;
  readonly #isMirrored: () => boolean;

  constructor(shard: { readonly pbx: string; readonly shard: string }, ari: AriRequester, isMirrored: () => boolean) {
    this.#shard = shard;
    beginMirrorCounts(shard);
    this.#ari = ari;
    this.#isMirrored = isMirrored;
  }

  /** @param source `channel:ID` or `bridge:ID` */
  async add(source: string): Promise<void> {
    if (!this.#isMirrored()) return;
    try {
      const { ok, status } = await this.#ari.request(subscribe(this.#shard.shard, source));
      // Its end came first, or the mirror is not connected yet, and subscribes by itself when it is.
      if (!ok && !GONE.has(status)) countMirrorFailure(this.#shard);
    } catch {
      countMirrorFailure(this.#shard);
    }
  }
}

const GONE: ReadonlySet<number> = new Set([404, 422]);

function subscribe(shard: string, source: string): AriRequest<unknown> {
  return applications.subscribe({ applicationName: mirrorOf(shard), eventSource: [source] });
}

interface Arrival {
  readonly channel?: { readonly id?: string; readonly dialplan?: { readonly app_name?: string } };
  readonly peer?: { readonly id?: string };
  readonly bridge?: { readonly id?: string };
  readonly dialstatus?: string;
}

/** What comes to a shard with this event, as event sources. */
export function arrivalsIn(event: IncomingEvent): string[] {
  const { channel, peer, bridge, dialstatus } = event as Arrival;
  const sourceOf = (kind: string, one: { readonly id?: string } | undefined) => (one?.id ? [`${kind}:${one.id}`] : []);
  if (event.type === 'StasisStart') return sourceOf('channel', channel);
  // A leg that rings may never come to Stasis.
  if (event.type === 'Dial') return dialstatus === '' ? sourceOf('channel', peer) : [];
  if (event.type !== 'ChannelEnteredBridge') return [];
  // Its channel may be one that the dialplan has put there.
  const isFromElsewhere = channel?.dialplan?.app_name !== 'Stasis';
  return [...sourceOf('bridge', bridge), ...(isFromElsewhere ? sourceOf('channel', channel) : [])];
}

/** The channels and bridges of a shard, as event sources. */
export function sourcesOf(snapshot: PbxSnapshot): string[] {
  const here = [...snapshot.channels].filter((one) => snapshot.isInShard(one));
  const calls = new Set(here.map((one) => snapshot.ownerOf(one.id) ?? snapshot.callIdOf(one)));
  const isOfThem = (id: string) => calls.has(snapshot.ownerOf(id) as CallId);
  // A leg that rings is not in the shard yet.
  const legs = [...snapshot.channels].filter(({ id }) => isOfThem(id));
  const channels = new Set([...here, ...legs].map(({ id }) => id));
  const sources: string[] = [];
  for (const bridge of snapshot.bridges) {
    if (!isOfThem(bridge.id)) continue;
    sources.push(`bridge:${bridge.id}`);
    // What the dialplan has put there, too.
    for (const id of bridge.channels) channels.add(id);
  }
  return [...[...channels].map((id) => `channel:${id}`), ...sources];
}

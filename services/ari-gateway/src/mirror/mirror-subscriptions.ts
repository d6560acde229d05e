import { type AriRequest, type AriRequester, applications } from '@callfleet/ari';
import type { CallId } from '@callfleet/identity';
import { inBatches, inParallel } from '../async/in-parallel.ts';
import type { IncomingEvent } from '../events/channel-index.ts';
import type { PbxSnapshot } from '../events/pbx-snapshot.ts';
import { mirrorOf } from '../names/mirror-name.ts';
import { beginMirrorCounts, countMirrorFailure } from '../telemetry/metrics.ts';

/** In one request, whose line may have 4 kB with Asterisk; an id of ours has up to 150 characters. */
export const SUBSCRIBED_AT_ONCE = 20;
/** Requests under way: commands wait behind so many of them at most. */
const AT_ONCE = 4;

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

  /** @param sources `channel:ID` or `bridge:ID` */
  async add(sources: readonly string[]): Promise<void> {
    if (this.#isMirrored())
      await inParallel(inBatches(sources, SUBSCRIBED_AT_ONCE), AT_ONCE, (some) => this.#add(some));
  }

  async #add(sources: readonly string[]): Promise<void> {
    try {
      const { ok, status } = await this.#ari.request(subscribe(this.#shard.shard, sources));
      if (ok) return;
      // For one that is gone Asterisk refuses them all.
      if (status === NO_SOURCE && sources.length > 1)
        await inParallel(sources, AT_ONCE, (source) => this.#add([source]));
      // Its end came first, or the mirror is not connected yet, and subscribes by itself when it is.
      else if (!GONE.has(status)) countMirrorFailure(this.#shard);
    } catch {
      countMirrorFailure(this.#shard);
    }
  }
}

const NO_SOURCE = 422;
const NO_APPLICATION = 404;
const GONE: ReadonlySet<number> = new Set([NO_APPLICATION, NO_SOURCE]);

function subscribe(shard: string, eventSource: readonly string[]): AriRequest<unknown> {
  return applications.subscribe({ applicationName: mirrorOf(shard), eventSource: [...eventSource] });
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

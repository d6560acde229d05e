import type { Bridge, Channel } from '@callfleet/ari';
import { type CallId, callIdOf, callOfResource, partsOfCallId } from '@callfleet/identity';

/** Of channels and bridges on a PBX, by id. */
export interface Strays {
  readonly channels: readonly string[];
  readonly bridges: readonly string[];
}

/** What a PBX has at one moment, as one shard sees it. */
export class PbxSnapshot {
  readonly bridges: readonly Bridge[];
  readonly #pbx: string;
  readonly #shard: string;
  readonly #channels: ReadonlyMap<string, Channel>;
  /** In a bridge with an id of ours. */
  readonly #bridged: ReadonlySet<string>;

  constructor(pbx: string, shard: string, channels: readonly Channel[], bridges: readonly Bridge[]) {
    this.#pbx = pbx;
    this.#shard = shard;
    this.bridges = bridges;
    this.#channels = new Map(channels.map((channel) => [channel.id, channel]));
    const ours = bridges.filter(({ id }) => this.ownerOf(id) !== undefined);
    this.#bridged = new Set(ours.flatMap((bridge) => bridge.channels));
  }

  get channels(): Iterable<Channel> {
    return this.#channels.values();
  }

  channel(id: string): Channel | undefined {
    return this.#channels.get(id);
  }

  /** In the shard's application. */
  isInShard({ dialplan: { app_name, app_data } }: Channel): boolean {
    return app_name === 'Stasis' && (app_data === this.#shard || app_data.startsWith(`${this.#shard},`));
  }

  /** In the shard's application, or where one of our calls has put it. */
  isHeld(channel: Channel): boolean {
    return this.isInShard(channel) || this.#bridged.has(channel.id);
  }

  /** The call that a channel or bridge was made for, by its id; undefined for what is not ours, or is of another PBX. */
  ownerOf(id: string): CallId | undefined {
    const call = callOfResource(id);
    return call !== undefined && partsOfCallId(call)?.pbx === this.#pbx ? call : undefined;
  }

  /** The call that the channel itself is. */
  callIdOf({ id }: Channel): CallId {
    return callIdOf(this.#pbx, id);
  }

  /**
   * Legs in the shard, and bridges, that were made for calls that are gone; a bridge in which anything else is, is none.
   *
   * @param isLive of calls whose caller's channel is not there: whether the call goes on without it
   */
  strays(isLive: (call: CallId) => boolean): Strays {
    const isOfNoCall = (id: string) => {
      const call = this.ownerOf(id);
      if (call === undefined || this.#channels.has(partsOfCallId(call)?.channelId ?? '')) return false;
      return !isLive(call);
    };
    const shared = new Set<string>();
    for (const { channels } of this.bridges) if (!channels.every(isOfNoCall)) for (const id of channels) shared.add(id);
    const channels = [...this.channels].filter(
      (one) => this.isInShard(one) && isOfNoCall(one.id) && !shared.has(one.id),
    );
    const strays = new Set(channels.map(({ id }) => id));
    const bridges = this.bridges.filter(
      ({ id, channels }) => isOfNoCall(id) && channels.every((one) => strays.has(one)),
    );
    return { channels: [...strays], bridges: bridges.map(({ id }) => id) };
  }
}

/** What the dialplan, or we, gave to `Stasis(<shard>,...)` after the shard. */
export function argumentsOf({ dialplan: { app_data } }: Channel): string[] {
  return app_data.split(',').slice(1);
}

import {
  type AriEvent,
  type Bridge,
  type Channel,
  type EventIds,
  idsOfEvent,
  subjectsOfEvent,
  type UnknownAriEvent,
} from '@callfleet/ari';
import { type CallId, callIdOf, callOfResource, isOriginatedChannel, partsOfCallId } from '@callfleet/identity';

/** What comes in on a shard's socket: of a type that we know, or of a newer Asterisk. */
export type IncomingEvent = AriEvent | UnknownAriEvent;

/** A call that an event concerns. */
export interface ConcernedCall {
  readonly id: CallId;
  /** The event's channel is the caller, or what has taken the caller's place. */
  readonly isCaller: boolean;
}

/**
 * How a channel that Asterisk named came to its call: it is the call; it took the place of one of the call's channels in Stasis;
 * it was put into the call's bridge from elsewhere; it is the far half of a Local channel of the call. `replaced` is what gave
 * its place away: Asterisk may tell no more of it than StasisEnd.
 */
type Why = 'itself' | 'replaces' | 'bridged' | 'other-half' | 'replaced';

/** More than a PBX has channels. What is beyond was not told its end: the oldest is forgotten. */
const MOST_CHANNELS = 20_000;

/** Asterisk's ids have 149 bytes at most. A longer one would not fit into a subject of the bus. */
const LONGEST_ID = 256;

/**
 * Which calls of a shard an event concerns. An id of our own carries its call; what Asterisk names itself is learnt from the
 * events that bring it into a call, and from a snapshot of the PBX's channels and bridges, and is forgotten with its end.
 *
 * Of several ids in one event, as a transfer has: the call of each resource that it is about is concerned, in the order of
 * the event's documentation, channels before bridges, playbacks and recordings. Only where none of these has a call, those
 * count that they refer to (a bridge's members, a playback's target); and only where nothing is known, a channel is taken to
 * be a call.
 */
export class ChannelIndex {
  readonly #pbx: string;
  readonly #shard: string;
  /** By channel id. */
  readonly #known = new Map<string, { readonly call: CallId; readonly why: Why }>();
  /** What has taken a caller's place. */
  readonly #callers = new Map<CallId, string>();
  /** By the name that both halves of a Local channel share. */
  readonly #halves = new Map<string, CallId>();
  /** What ids say by themselves: most of a call's events have the same few, and to read them is most of the work here. */
  readonly #ownCalls = new Memo((id) => this.#readOwnCall(id));
  readonly #channelsOfCalls = new Memo((call) => partsOfCallId(call)?.channelId);

  constructor(pbx: string, shard: string) {
    this.#pbx = pbx;
    this.#shard = shard;
  }

  /** Channels known by more than their own id. */
  get channelIds(): ReadonlySet<string> {
    return new Set(this.#known.keys());
  }

  /** Learns from the event, and says whom it concerns: in most cases one call, each call once. */
  concernedBy(event: IncomingEvent): ConcernedCall[] {
    this.#learn(event);
    const channelId = channelIn(event, 'channel')?.id;
    const concerned = this.#callsOf(event).map((id) => ({ id, isCaller: channelId === this.#callerOf(id) }));
    this.#forget(event);
    return concerned;
  }

  /**
   * Takes in what a PBX has, for what was missed while no socket stood.
   *
   * @param before {@link channelIds} when the snapshot was asked for: of these, those that it does not have are gone
   */
  rebuild(channels: readonly Channel[], bridges: readonly Bridge[], before: ReadonlySet<string>): void {
    const present = new Set(channels.map(({ id }) => id));
    // An Asterisk that was started again gives their names again.
    this.#halves.clear();
    for (const id of before) if (!present.has(id)) this.#drop(id);
    for (const bridge of bridges) for (const id of bridge.channels) if (present.has(id)) this.#join(id, bridge.id);
    const read = channels.map(readChannel).filter((channel) => channel !== undefined);
    for (const channel of read)
      if (this.callOf(channel.id) === undefined && this.#isHere(channel))
        this.#remember(channel.id, callIdOf(this.#pbx, channel.id), 'itself');
    // Twice: the half that has a call may come second.
    for (const channel of [...read, ...read]) this.#learnHalf(channel);
  }

  /** The call that a channel belongs to, by its id or as it was learnt. */
  callOf(channelId: string): CallId | undefined {
    const known = this.#known.get(channelId)?.call ?? this.#ownCall(channelId);
    return known ?? (isOriginatedChannel(channelId) ? callIdOf(this.#pbx, channelId) : undefined);
  }

  #learn(event: IncomingEvent): void {
    const channel = channelIn(event, 'channel');
    if (channel && event.type === 'StasisStart') this.#enter(channel.id, channelIn(event, 'replace_channel')?.id);
    if (channel && event.type === 'ChannelEnteredBridge') this.#join(channel.id, channelIn(event, 'bridge')?.id);
    for (const one of [channel, channelIn(event, 'peer')]) if (one) this.#learnHalf(one);
  }

  #enter(id: string, replaced: string | undefined): void {
    if (replaced !== undefined) {
      const call = this.callOf(replaced) ?? callIdOf(this.#pbx, replaced);
      this.#remember(id, call, 'replaces');
      if (this.#known.has(replaced)) this.#remember(replaced, call, 'replaced');
      if (this.#callerOf(call) === replaced) putBounded(this.#callers, call, id);
    } else if (this.#ownCall(id) === undefined && this.#known.get(id)?.why !== 'replaces') {
      // Whoever it was bridged with before: it has come to us by itself, and somebody must serve it.
      this.#remember(id, callIdOf(this.#pbx, id), 'itself');
    }
  }

  #join(id: string, bridgeId: string | undefined): void {
    const call = bridgeId === undefined ? undefined : this.#ownCall(bridgeId);
    if (call === undefined || this.callOf(id) !== undefined) return;
    this.#remember(id, call, this.#callerOf(call) === id ? 'itself' : 'bridged');
  }

  #learnHalf({ id, name }: ChannelRead): void {
    const pair = pairOf(name);
    if (pair === undefined) return;
    const call = this.callOf(id);
    if (call !== undefined) putBounded(this.#halves, pair, call);
    else {
      const other = this.#halves.get(pair);
      if (other !== undefined) this.#remember(id, other, 'other-half');
    }
  }

  #forget(event: IncomingEvent): void {
    const channel = channelIn(event, 'channel');
    if (!channel) return;
    const why = this.#known.get(channel.id)?.why;
    if (event.type === 'ChannelLeftBridge' && why === 'bridged') this.#drop(channel.id);
    if (event.type === 'StasisEnd' && why === 'replaced') this.#drop(channel.id);
    if (event.type !== 'ChannelDestroyed') return;
    this.#drop(channel.id);
    const pair = pairOf(channel.name);
    if (pair !== undefined) this.#halves.delete(pair);
  }

  #callsOf(event: IncomingEvent): CallId[] {
    const subjects = subjectsOfEvent(event);
    const calls = this.#callsIn(subjects);
    if (calls.length > 0) return calls;
    const ids = idsOfEvent(event);
    const referred = this.#callsIn(ids);
    // An endpoint may be the trunk of all calls.
    const isOfEndpoint = subjects.channels.length === 0 && 'endpoint' in event;
    if (isOfEndpoint) return referred.length === 1 ? referred : [];
    if (referred.length > 0) return referred;
    const stranger = this.#stranger(event, ids);
    return stranger === undefined || stranger.length > LONGEST_ID ? [] : [callIdOf(this.#pbx, stranger)];
  }

  #callsIn({ channels, bridges, playbacks, recordings }: EventIds): CallId[] {
    const calls = new Set<CallId>();
    for (const id of channels) addTo(calls, this.callOf(id));
    for (const list of [bridges, playbacks, recordings]) for (const id of list) addTo(calls, this.#ownCall(id));
    return [...calls];
  }

  /** A channel of which nothing is known, and which may be a call of a gateway before us: none that is elsewhere in the dialplan. */
  #stranger(event: IncomingEvent, { channels, bridges }: EventIds): string | undefined {
    const channel = channelIn(event, 'caller') ?? channelIn(event, 'channel') ?? channelIn(event, 'peer');
    if (!channel) return bridges.length === 0 ? channels[0] : undefined;
    // Asterisk leaves it empty at a channel's end.
    return channel.app === '' || this.#isHere(channel) ? channel.id : undefined;
  }

  #ownCall(id: string): CallId | undefined {
    return id.length > LONGEST_ID ? undefined : this.#ownCalls.of(id);
  }

  #readOwnCall(id: string): CallId | undefined {
    const call = callOfResource(id);
    // Another PBX's id can come here in a header or a variable, never as the subject of an event of ours.
    return call !== undefined && partsOfCallId(call)?.pbx === this.#pbx ? call : undefined;
  }

  #callerOf(call: CallId): string | undefined {
    return this.#callers.get(call) ?? this.#channelsOfCalls.of(call);
  }

  /** In our own application. */
  #isHere({ app, appData }: ChannelRead): boolean {
    return app === 'Stasis' && (appData === this.#shard || appData.startsWith(`${this.#shard},`));
  }

  #remember(id: string, call: CallId, why: Why): void {
    putBounded(this.#known, id, { call, why });
  }

  #drop(id: string): void {
    const call = this.callOf(id);
    if (call !== undefined && this.#callers.get(call) === id) this.#callers.delete(call);
    this.#known.delete(id);
  }
}

/** The ids of a thousand calls, and about a megabyte. */
const MOST_READ = 4096;

/** What a pure function has said of texts; of too many, all are forgotten. */
class Memo<V> {
  readonly #read: (text: string) => V;
  readonly #known = new Map<string, V>();

  constructor(read: (text: string) => V) {
    this.#read = read;
  }

  of(text: string): V {
    if (this.#known.has(text)) return this.#known.get(text) as V;
    const value = this.#read(text);
    // One by one from the front, a Map gets slow.
    if (this.#known.size >= MOST_READ) this.#known.clear();
    this.#known.set(text, value);
    return value;
  }
}

/** What is needed of a channel; '' for what it does not have. */
interface ChannelRead {
  readonly id: string;
  readonly name: string;
  /** The dialplan's application that it is in. */
  readonly app: string;
  readonly appData: string;
}

/** The channel, or other thing with an id, that an event has under this name. */
function channelIn(event: IncomingEvent, name: string): ChannelRead | undefined {
  return readChannel(field(event, name));
}

function readChannel(value: unknown): ChannelRead | undefined {
  const id = textIn(value, 'id');
  if (id === '' || id.length > LONGEST_ID) return undefined;
  const dialplan = field(value, 'dialplan');
  return { id, name: textIn(value, 'name'), app: textIn(dialplan, 'app_name'), appData: textIn(dialplan, 'app_data') };
}

function textIn(value: unknown, name: string): string {
  const text = field(value, name);
  return typeof text === 'string' ? text : '';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** `Local/500@default-00000001`, of a channel whose name ends with `;1` or `;2`. */
function pairOf(name: string): string | undefined {
  if (!name.startsWith('Local/')) return undefined;
  return /^(Local\/.+);[12]$/.exec(name)?.[1];
}

function addTo<T>(set: Set<T>, value: T | undefined): void {
  if (value !== undefined) set.add(value);
}

/** @returns the oldest key, when it had to give way */
function putBounded<K, V>(map: Map<K, V>, key: K, value: V): K | undefined {
  map.set(key, value);
  if (map.size <= MOST_CHANNELS) return undefined;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
  return oldest;
}

import { setTimeout as wait } from 'node:timers/promises';
import {
  type AriCloseInfo,
  AriHttp,
  type AriRequester,
  AriSocket,
  type AriSocketUse,
  applications,
  type DialIn,
  expectOk,
  type KnownAsterisk,
  readFeatures,
} from '@callfleet/ari';
import { isClassic } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import { aborted, within } from '../async/time-limit.ts';
import { EVENT_FILTER } from '../events/event-filter.ts';
import { HeldEvents } from '../events/held-events.ts';
import { type TakenMirror, TwoSightings } from '../mirror/two-sightings.ts';
import { connectionCounter, lagRecorder } from '../telemetry/metrics.ts';
import { SocketLag } from '../telemetry/socket-lag.ts';
import { AriWays } from './ari-ways.ts';
import type { KnownWhileConnected } from './known-while-connected.ts';
import { awayFor, type LinkState } from './link-state.ts';
import type { OpenSockets } from './open-sockets.ts';
import { ShardTraffic, type ShardTrafficOptions } from './shard-traffic.ts';
import { NotAriError, whyLost } from './why-away.ts';

/** A socket that the PBX has opened to us; with it the link is over. */
export interface Arrival {
  readonly dialIn: DialIn;
  readonly onEnded: () => void;
}

interface LinkMirror extends TakenMirror {
  /** Who has said who it is, while its socket stands: no other can be in its place since. */
  readonly asterisk: KnownAsterisk | undefined;
}

export interface ShardLinkOptions extends ShardTrafficOptions {
  /** What we have seen of the shard while it was another's; ours from now on. */
  readonly mirror?: LinkMirror | undefined;
  /** Asked before each event socket is opened. @throws PbxIdentityError when that Asterisk is another PBX's */
  readonly claimIdentity: (entityId: string | undefined) => Promise<void>;
  readonly onState: (state: LinkState) => void;
  /** Another socket has the application, and not because we hand it over. No commands are taken until `serve`. */
  readonly onTaken: () => void;
  /** No socket stands, of a shard that is ours. @returns whether it is another's now: it is not to be connected again */
  readonly onAway: () => Promise<boolean>;
  /** Of a PBX that dials us. */
  readonly arrival?: Arrival | undefined;
  /** Shared with the links of its other shards. */
  readonly known: Pick<KnownWhileConnected, 'asterisk' | 'connected'>;
  /** Where such a socket is to be known while it is open. */
  readonly sockets: Pick<OpenSockets, 'add' | 'delete'>;
}

/** More frames than this that are no ARI messages, and there is something else than an Asterisk. */
const MOST_MALFORMED = 100;
const REPLACED: LinkState = {
  state: 'away',
  why: 'another ARI client has taken its application: names in pbxs[].shards must be used by nobody else',
};
/** Asterisk tells the old socket before it answers the new one. */
const REPLACED_WITHIN_MS = 2000;
/** Commands that go over HTTP may be under way, to a PBX that is not reached; milliseconds. */
const ABANDONED_WITHIN_MS = 500;
/** For requests that wait for the end of a sound. An Asterisk takes 100 HTTP connections in all, unless it is told otherwise. */
const PATIENT_CONNECTIONS = 16;
const MEASURE_LAG_EVERY_MS = 1000;
/** Asterisk may still send the old socket what was on its way when the application changed sockets. */
const TRAILING_MS = 50;

/**
 * One shard in our hands: the ARI socket under its traffic, from `standBy` or `serve` on. A socket that is lost is made again until the link is closed; the calls are remembered
 * meanwhile. Until it is told to `serve` it takes no commands, and holds what comes in.
 */
export class ShardLink {
  readonly #options: ShardLinkOptions;
  readonly #log: Logger;
  /** Undefined of a PBX that dials us. */
  readonly #http: AriHttp | undefined;
  readonly #ways: AriWays;
  readonly #traffic: ShardTraffic;
  readonly #countConnection: () => void;
  readonly #lag: SocketLag;
  readonly #measuring: NodeJS.Timeout;
  /** Until its shard is taken over. */
  #mirror: LinkMirror | undefined;
  #connected = false;
  readonly #standing = Promise.withResolvers<void>();
  /** Resolved, and true, while the lease is ours as far as is known. */
  #ours = Promise.withResolvers<void>();
  #isOurs = false;
  #isLeaving = false;
  /** A socket stands. */
  #stands = false;
  /** Of the socket that stands: another one has its application. */
  #replaced = Promise.withResolvers<void>();
  #replacedBy: 'heir' | 'stranger' | undefined;
  #closeSocket = () => {};
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;

  constructor(options: ShardLinkOptions) {
    const { pbx, shard, settings } = options;
    const log = options.log.child({ pbx: pbx.name, shard });
    this.#options = options;
    this.#log = log;
    const { commandTimeoutMs: requestTimeoutMs } = settings;
    const ways = isClassic(pbx)
      ? {
          http: new AriHttp({ ...pbx, requestTimeoutMs }),
          patient: new AriHttp({ ...pbx, requestTimeoutMs, maxConnections: PATIENT_CONNECTIONS }),
        }
      : undefined;
    this.#http = ways?.http;
    this.#ways = new AriWays(pbx.name, ways);
    this.#traffic = new ShardTraffic({ ...options, log }, this.#ways);
    this.#mirror = options.mirror;
    this.#countConnection = connectionCounter({ pbx: pbx.name, shard });
    this.#lag = new SocketLag(lagRecorder({ pbx: pbx.name, shard }));
    this.#measuring = setInterval(() => this.#lag.measureNext(), MEASURE_LAG_EVERY_MS);
    this.#standing.promise.catch(() => {});
  }

  /** Its event socket stands. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Calls that have not ended. */
  get calls(): number {
    return this.#traffic.live;
  }

  /**
   * Takes no new calls: they go back to the dialplan. Resolves when those that are there are over and cleaned up after; what is left
   * after `limitMs` goes back to the dialplan too. Ends early on `signal`.
   */
  async drain(limitMs: number, signal: AbortSignal): Promise<void> {
    await this.#traffic.drain(limitMs, AbortSignal.any([signal, this.#closing.signal]));
  }

  /** Resolves when its socket stands. @throws when it can't be connected, or not in time */
  async standBy(withinMs: number): Promise<void> {
    this.#start();
    await within(withinMs, this.#standing.promise, 'the PBX is not reached');
  }

  /** The lease is ours, or has been found to be ours still. */
  serve(): void {
    this.#isOurs = true;
    this.#start();
    this.#traffic.resume();
    this.#ours.resolve();
    if (this.#replacedBy === 'stranger') this.#log.error('shard.taken-by-stranger');
    if (this.#replacedBy) this.#closeSocket();
    else if (this.#stands) this.#traffic.takeCommands();
    this.#takeOriginations();
  }

  /** Takes no commands until `serve`: the shard may be another's. */
  suspend(): void {
    this.#traffic.suspend();
  }

  /**
   * Once another socket has the application: takes no more commands, carries out those it has, and publishes what it has read.
   *
   * @throws what `connectHeir` throws, or when commands take too long
   */
  async release(connectHeir: () => Promise<void>): Promise<void> {
    this.#isLeaving = true;
    try {
      await connectHeir();
      await within(REPLACED_WITHIN_MS, this.#replaced.promise, 'no other socket has the application');
      await wait(TRAILING_MS);
      await this.#traffic.finishCommands();
      await this.#traffic.publishAll();
    } finally {
      this.#isLeaving = false;
    }
  }

  /** Its socket is lost, and another gateway is to have the shard: takes no more commands, and publishes what it has read. */
  async abandon(): Promise<void> {
    const finished = this.#traffic.finishCommands();
    await Promise.race([finished.catch(() => {}), wait(ABANDONED_WITHIN_MS)]);
    await this.#traffic.publishAll();
  }

  /**
   * Takes no more commands, carries out those it has, closes the socket and publishes what it has read: of a socket that the PBX has
   * opened, whose heir is whoever it reaches next.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /** Not before it is known whether the shard is ours, or about to be: a socket of ours takes the application. */
  #start(): void {
    this.#running ??= this.#keepConnected().finally(() => this.#options.arrival?.onEnded());
  }

  async #leave(): Promise<void> {
    await this.#traffic
      .finishCommands()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'shard.commands-left'));
    await this.close();
    await this.#traffic.publishAll();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#measuring);
    await this.#running;
    await this.#options.mirror?.close();
    this.#traffic.close();
    await this.#ways.close();
  }

  async #keepConnected(): Promise<void> {
    const { reconnectMinMs, reconnectMaxMs } = this.#options.settings;
    let pauseMs = reconnectMinMs;
    while (!this.#closing.signal.aborted) {
      let servedFrom = Number.POSITIVE_INFINITY;
      try {
        await this.#serveOneSocket(() => {
          servedFrom = performance.now();
        });
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        this.#log.error({ err: error, againInMs: pauseMs }, 'shard.unreachable');
        this.#tell(awayFor(error));
      }
      if (this.#options.arrival) break;
      if (!this.#isOurs) {
        // Whoever has the shard may have the application too: to connect again would take it away.
        this.#standing.reject(new Error('the socket was not connected, or lost'));
        await Promise.race([this.#ours.promise, aborted(this.#closing.signal)]);
        continue;
      }
      if (this.#closing.signal.aborted) break;
      // From a stranger it is taken back, which another gateway could not do better.
      if (!this.#replacedBy && (await this.#options.onAway())) break;
      // One that is taken from us again and again stands each time.
      if (performance.now() - servedFrom > reconnectMaxMs) pauseMs = reconnectMinMs;
      await wait(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, reconnectMaxMs);
    }
    this.#standing.reject(new Error('the socket was not connected, or lost'));
  }

  /** Connects, serves until the socket closes, and takes down what hung on it. */
  async #serveOneSocket(onServing: () => void): Promise<void> {
    const { shard, settings, arrival, known, sockets } = this.#options;
    // Whom we have a socket to need not be asked: each question is time in which callers wait for a gateway.
    const before = this.#mirror?.asterisk ?? known.asterisk ?? (this.#http && (await this.#learnWho(this.#http)));
    const closed = Promise.withResolvers<AriCloseInfo>();
    const nonsense = Promise.withResolvers<never>();
    nonsense.promise.catch(() => {});
    let malformed = 0;
    const isDeadOnes = this.#isOurs && this.#mirror !== undefined;
    const events: HeldEvents = new HeldEvents(!this.#isOurs || isDeadOnes, (event) => {
      if (!sightings?.isRepeat(event)) this.#traffic.handle(event);
    });
    const sightings =
      this.#mirror && isDeadOnes
        ? new TwoSightings(this.#mirror, events, (event) => this.#traffic.handle(event))
        : undefined;
    this.#replacedBy = undefined;
    this.#replaced = Promise.withResolvers();
    const socket = await this.#socketFor({
      connectTimeoutMs: settings.connectTimeoutMs,
      requestTimeoutMs: settings.commandTimeoutMs,
      onEvent: (event) => {
        this.#lag.read((event as { timestamp?: unknown }).timestamp);
        if (event.type === 'ApplicationReplaced') this.#onReplaced();
        else events.take(event);
      },
      onMalformed: (problem) => {
        malformed += 1;
        this.#log.warn({ problem }, 'shard.malformed-frame');
        if (malformed === MOST_MALFORMED) nonsense.reject(new NotAriError());
      },
      onListenerError: (error) => this.#log.error({ err: error }, 'shard.event-failed'),
      onClose: closed.resolve,
    });
    if (arrival) sockets.add(socket);
    this.#closeSocket = () => void socket.close();
    let forget = () => {};
    const over = new AbortController();
    void closed.promise.then(() => over.abort());
    this.#closing.signal.addEventListener('abort', this.#closeSocket, { once: true });
    try {
      const asterisk = before ?? (await this.#learnWho(socket));
      const { version, features } = asterisk;
      forget = known.connected(asterisk);
      if (features.restOverWebSocket) this.#ways.socket = socket;
      this.#stands = true;
      if (this.#isOurs) this.#takeCommands();
      expectOk(await this.#ways.slow.request(applications.filter({ applicationName: shard, filter: EVENT_FILTER })));
      if (!this.#isOurs) {
        await this.#traffic.learnChannels();
        this.#standing.resolve();
        await Promise.race([this.#ours.promise, closed.promise]);
        if (over.signal.aborted) return;
        this.#takeCommands();
      }
      this.#tell({ state: 'syncing' });
      if (!sightings) events.letThrough();
      await this.#traffic.reconcile(over.signal, sightings);
      // One that was handed over to us had published everything.
      if (!sightings) void this.#mirror?.close();
      if (!over.signal.aborted) this.#mirror = undefined;
      this.#log.info({ version: version.text, restOverSocket: features.restOverWebSocket }, 'shard.connected');
      this.#connected = this.#replacedBy !== 'stranger';
      this.#takeOriginations();
      this.#countConnection();
      if (!over.signal.aborted) this.#tell({ state: 'connected' });
      onServing();
      const info = await Promise.race([closed.promise, nonsense.promise]);
      if (info.by === 'us') return;
      this.#log.warn(info, 'shard.socket-lost');
      this.#tell({ state: 'away', why: whyLost(info) });
    } finally {
      this.#ways.socket = undefined;
      forget();
      sockets.delete(socket);
      this.#connected = false;
      this.#stands = false;
      this.#closing.signal.removeEventListener('abort', this.#closeSocket);
      this.#traffic.disconnected();
      await socket.close();
      events.letThrough();
    }
  }

  #socketFor(use: AriSocketUse): Promise<AriSocket> {
    const { pbx, shard, arrival } = this.#options;
    if (arrival) return arrival.dialIn.open(use);
    if (!isClassic(pbx)) throw new Error(`${pbx.name} is not dialled`);
    return AriSocket.connect({ ...pbx, ...use, apps: [shard] }, this.#closing.signal);
  }

  async #learnWho(way: AriRequester) {
    const known = await readFeatures(way);
    await this.#options.claimIdentity(known.entityId);
    return known;
  }

  /** Only while a socket stands: without one the command has no taker, and its sender knows that at once. */
  #takeCommands(): void {
    if (!this.#replacedBy) this.#traffic.takeCommands();
  }

  #takeOriginations(): void {
    if (this.#connected) this.#traffic.takeOriginations();
  }

  /** Of a shard that is another's nothing is told. */
  #tell(state: LinkState): void {
    if (this.#isOurs) this.#options.onState(state);
  }

  #onReplaced(): void {
    this.#replacedBy = this.#isLeaving ? 'heir' : 'stranger';
    this.#replaced.resolve();
    if (this.#isLeaving) return;
    this.suspend();
    this.#connected = false;
    this.#tell(REPLACED);
    // It was to be ours, and is somebody else's.
    if (!this.#isOurs) this.#closeSocket();
    else {
      this.#isOurs = false;
      this.#ours = Promise.withResolvers();
      this.#options.onTaken();
    }
  }
}

import { setTimeout as wait } from 'node:timers/promises';
import {
  AriClosedError,
  type AriCloseInfo,
  AriHttp,
  type AriRequest,
  type AriRequester,
  AriSocket,
  type AriSocketUse,
  applications,
  type DialIn,
  expectOk,
  readFeatures,
} from '@callfleet/ari';
import { type Bus, type EventOutbox, KeptCalls, subjects } from '@callfleet/bus';
import { type Config, isClassic, type PbxConfig } from '@callfleet/config';
import type { CallId } from '@callfleet/identity';
import type { LeaseRedis } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { CallOffers } from './call-offers.ts';
import { ChannelIndex } from './channel-index.ts';
import { CommandExecutor } from './command-executor.ts';
import { CommandIntake } from './command-intake.ts';
import { EVENT_FILTER } from './event-filter.ts';
import { EventPublisher } from './event-publisher.ts';
import { HeldEvents } from './held-events.ts';
import { awayFor, type LinkState } from './link-state.ts';
import { LiveCalls } from './live-call.ts';
import { connectionCounter, countRefusal } from './metrics.ts';
import { MirrorSubscriptions } from './mirror-subscriptions.ts';
import type { OpenSockets } from './open-sockets.ts';
import { Origination } from './origination.ts';
import type { PbxGuard } from './pbx-guard.ts';
import { ShardEvents } from './shard-events.ts';
import { ShardReconciler } from './shard-reconciler.ts';
import { isSlow } from './slow-command.ts';
import { aborted, within } from './time-limit.ts';
import { TrunkPlaces } from './trunk-places.ts';
import { type TakenMirror, TwoSightings } from './two-sightings.ts';
import { NotAriError, whyLost } from './why-away.ts';
import { WorkerWatch } from './worker-watch.ts';

/** A socket that the PBX has opened to us; with it the link is over. */
export interface Arrival {
  readonly dialIn: DialIn;
  readonly onEnded: () => void;
}

export interface ShardLinkOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly outbox: EventOutbox;
  readonly gateway: string;
  readonly pbx: PbxConfig;
  readonly shard: string;
  readonly guard: PbxGuard;
  readonly settings: Config['gateway'];
  /** What we have seen of the shard while it was another's; ours from now on. */
  readonly mirror?: TakenMirror | undefined;
  /** Another gateway may see what happens on the shard. */
  readonly isMirrored: () => boolean;
  readonly isWorkerGone: (worker: string, call?: CallId) => Promise<boolean>;
  /** Asked before each event socket is opened. @throws PbxIdentityError when that Asterisk is another PBX's */
  readonly claimIdentity: (entityId: string | undefined) => Promise<void>;
  readonly onState: (state: LinkState) => void;
  /** Before each command: the process may have stood still. */
  readonly beforeCommand: () => void;
  /** Another socket has the application, and not because we hand it over. No commands are taken until `serve`. */
  readonly onTaken: () => void;
  /** Of a PBX that dials us. */
  readonly arrival?: Arrival | undefined;
  /** Where such a socket is to be known while it is open. */
  readonly sockets: Pick<OpenSockets, 'add' | 'delete'>;
  readonly log: Logger;
}

const FORGET_EVERY_MS = 10_000;
/** More frames than this that are no ARI messages, and there is something else than an Asterisk. */
const MOST_MALFORMED = 100;
const REPLACED: LinkState = {
  state: 'away',
  why: 'another ARI client has taken its application: names in pbxs[].shards must be used by nobody else',
};
/** How often a link that drains looks whether it is through, milliseconds. */
const DRAIN_LOOK_MS = 250;
/** What workers have for the rest of calls that went back to the dialplan, milliseconds. */
const CLEAN_UP_MS = 5000;
/** Asterisk tells the old socket before it answers the new one. */
const REPLACED_WITHIN_MS = 2000;
/** Asterisk may still send the old socket what was on its way when the application changed sockets. */
const TRAILING_MS = 50;
/** The events of other shards go on meanwhile: those of this one are long published by then. */
const PUBLISH_WITHIN_MS = 1000;

/**
 * One shard in our hands: its ARI socket, the way of its events down to the bus, and the way of commands up to the PBX.
 * A socket that is lost is made again until the link is closed; the calls are remembered meanwhile. Until it is told to
 * `serve` it takes no commands, and holds what comes in.
 */
export class ShardLink {
  readonly #options: ShardLinkOptions;
  readonly #log: Logger;
  readonly #calls = new LiveCalls();
  readonly #kept: KeptCalls;
  readonly #reconciler: ShardReconciler;
  /** Undefined of a PBX that dials us. */
  readonly #http: AriHttp | undefined;
  /** Set while it is open and Asterisk takes requests over it: several times faster than HTTP. */
  #fastWay: AriSocket | undefined;
  readonly #offers: CallOffers;
  readonly #events: ShardEvents;
  readonly #intake: CommandIntake;
  readonly #places: TrunkPlaces;
  readonly #origination: Origination;
  readonly #workers: WorkerWatch;
  readonly #countConnection: () => void;
  /** Until its shard is taken over. */
  #mirror: TakenMirror | undefined;
  #connected = false;
  #isDraining = false;
  readonly #standing = Promise.withResolvers<void>();
  /** Resolved, and true, while the lease is ours as far as is known. */
  #ours = Promise.withResolvers<void>();
  #isOurs = false;
  #isSuspended = false;
  #isLeaving = false;
  /** A socket stands. */
  #stands = false;
  /** Of the socket that stands: another one has its application. */
  #replaced = Promise.withResolvers<void>();
  #replacedBy: 'heir' | 'stranger' | undefined;
  #closeSocket = () => {};
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #leaving: Promise<void> | undefined;

  constructor(options: ShardLinkOptions) {
    const { bus, outbox, gateway, pbx, shard, settings } = options;
    const log = options.log.child({ pbx: pbx.name, shard });
    this.#options = options;
    this.#log = log;
    this.#http = isClassic(pbx) ? new AriHttp({ ...pbx, requestTimeoutMs: settings.commandTimeoutMs }) : undefined;
    const ari = options.guard.over({
      request: (request, requestOptions) => this.#wayOf(request).request(request, requestOptions),
    });
    this.#kept = new KeptCalls(bus, pbx.name, shard, (error) => log.warn({ err: error }, 'shard.call-not-kept'));
    const offers = new CallOffers({
      bus,
      ari,
      kept: this.#kept,
      gateway,
      pbx: pbx.name,
      shard,
      zone: pbx.zone,
      pool: pbx.pool,
      claimTimeoutMs: settings.claimTimeoutMs,
      log,
    });
    const workers = new WorkerWatch({
      isGone: (worker) => options.isWorkerGone(worker),
      onLost: (call) => offers.offerAgain(call, 'worker-gone'),
    });
    this.#workers = workers;
    const index = new ChannelIndex(pbx.name, shard);
    const publisher = new EventPublisher(index, gateway, this.#calls, outbox);
    this.#offers = offers;
    const mirror = new MirrorSubscriptions({ pbx: pbx.name, shard }, ari, options.isMirrored);
    this.#events = new ShardEvents({ shard, ari, publisher, offers, mirror, log });
    this.#mirror = options.mirror;
    const executor = new CommandExecutor({
      pbx: pbx.name,
      shard,
      calls: this.#calls,
      ari,
      timeoutMs: settings.commandTimeoutMs,
      onClaimed: (call, worker, program) => {
        offers.settle(call);
        call.claimedBy(worker, program);
        workers.watch(worker, call);
        offers.keep(call);
      },
      onDone: (call) => {
        call.worker = undefined;
        call.isDone = true;
        if (call.knownOffer?.dial) call.end();
        offers.forget(call);
      },
      onReleased: (call) => offers.offerAgain(call, 'worker-stops'),
      log,
    });
    this.#places = new TrunkPlaces({ redis: options.redis, calls: this.#calls, log });
    this.#origination = new Origination({
      bus,
      gateway,
      pbx,
      shard,
      calls: this.#calls,
      offers,
      places: this.#places,
      isBroken: () => options.guard.isOpen('originate'),
      claimTimeoutMs: settings.claimTimeoutMs,
      log,
    });
    this.#reconciler = new ShardReconciler({
      bus,
      kept: this.#kept,
      http: { request: (request, requestOptions) => this.#slowWay.request(request, requestOptions) },
      pbx: pbx.name,
      shard,
      index,
      calls: this.#calls,
      events: this.#events,
      offers,
      workers,
      isWorkerGone: options.isWorkerGone,
      strayAfterMs: settings.strayAfterMs,
      log,
    });
    this.#intake = new CommandIntake(bus, subjects.commands(pbx.name, shard), async (command, trace) => {
      options.beforeCommand();
      return countRefusal(this.#isSuspended ? NOT_HELD : await executor.execute(command, trace));
    });
    this.#countConnection = connectionCounter({ pbx: pbx.name, shard });
    this.#standing.promise.catch(() => {});
    this.#running = this.#keepConnected();
    void this.#running.then(options.arrival?.onEnded);
  }

  #wayOf(request: AriRequest<unknown>): AriRequester {
    return this.#fastWay && !isSlow(request) ? this.#fastWay : this.#slowWay;
  }

  /** Of what is large or slow; over the socket where there is nothing else. */
  get #slowWay(): AriRequester {
    const way = this.#http ?? this.#fastWay;
    if (way) return way;
    const { pbx } = this.#options;
    throw new AriClosedError(`${pbx.name} has no socket to this gateway`, { url: pbx.name });
  }

  /** Its event socket stands. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Calls that have not ended. */
  get calls(): number {
    return this.#calls.live;
  }

  /**
   * Takes no new calls: they go back to the dialplan. Resolves when those that are there are over and cleaned up after; what is left
   * after `limitMs` goes back to the dialplan too. Ends early on `signal`.
   */
  async drain(limitMs: number, signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    this.#origination.stop();
    this.#offers.refuseNew();
    await this.#idle(limitMs, signal);
    const left = signal.aborted || this.#closing.signal.aborted ? [] : this.#calls.unended();
    if (left.length === 0) return;
    this.#log.warn({ calls: left.length }, 'shard.drain-limit');
    await Promise.all(left.map((call) => this.#offers.sendBack(call)));
    await this.#idle(CLEAN_UP_MS, signal);
  }

  /** No call is up, and no worker has anything left to do for one. */
  async #idle(limitMs: number, signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, this.#closing.signal, AbortSignal.timeout(limitMs)]);
    while (this.#calls.busy > 0 && !limit.aborted)
      await wait(DRAIN_LOOK_MS, undefined, { signal: limit }).catch(() => {});
  }

  /** Resolves when its socket stands. @throws when it can't be connected, or not in time */
  async standBy(withinMs: number): Promise<void> {
    await within(withinMs, this.#standing.promise, 'the PBX is not reached');
  }

  /** The lease is ours, or has been found to be ours still. */
  serve(): void {
    this.#isOurs = true;
    this.#isSuspended = false;
    this.#ours.resolve();
    if (this.#replacedBy === 'stranger') this.#log.error('shard.taken-by-stranger');
    if (this.#replacedBy) this.#closeSocket();
    else if (this.#stands) this.#intake.start();
    this.#takeOriginations();
  }

  /** Takes no commands until `serve`: the shard may be another's. */
  suspend(): void {
    this.#isSuspended = true;
    this.#intake.stop();
    this.#origination.stop();
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
      await this.#finishCommands();
      await this.#publishAll();
    } finally {
      this.#isLeaving = false;
    }
  }

  /**
   * Takes no more commands, carries out those it has, closes the socket and publishes what it has read: of a socket that the PBX has
   * opened, whose heir is whoever it reaches next.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    await this.#finishCommands().catch((error: unknown) => this.#log.warn({ err: error }, 'shard.commands-left'));
    await this.close();
    await this.#publishAll();
  }

  async #finishCommands(): Promise<void> {
    this.suspend();
    const limitMs = 2 * this.#options.settings.commandTimeoutMs;
    await within(limitMs, this.#intake.drained(), 'commands are still under way');
  }

  async #publishAll(): Promise<void> {
    const published = Promise.all([this.#options.outbox.flushed(), this.#kept.flushed()]);
    await Promise.race([published, wait(PUBLISH_WITHIN_MS)]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#options.mirror?.close();
    this.#offers.close();
    this.#workers.close();
    this.#places.close();
    this.#kept.close();
    await this.#http?.close();
  }

  async #keepConnected(): Promise<void> {
    const { reconnectMinMs, reconnectMaxMs } = this.#options.settings;
    const forgetting = setInterval(() => this.#calls.forgetEnded(Date.now()), FORGET_EVERY_MS);
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
      // One that is taken from us again and again stands each time.
      if (performance.now() - servedFrom > reconnectMaxMs) pauseMs = reconnectMinMs;
      await wait(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, reconnectMaxMs);
    }
    this.#standing.reject(new Error('the socket was not connected, or lost'));
    clearInterval(forgetting);
  }

  /** Connects, serves until the socket closes, and takes down what hung on it. */
  async #serveOneSocket(onServing: () => void): Promise<void> {
    const { shard, settings, arrival, sockets } = this.#options;
    const before = this.#http && (await this.#learnWho(this.#http));
    const closed = Promise.withResolvers<AriCloseInfo>();
    const nonsense = Promise.withResolvers<never>();
    nonsense.promise.catch(() => {});
    let malformed = 0;
    const isDeadOnes = this.#isOurs && this.#mirror !== undefined;
    const events: HeldEvents = new HeldEvents(!this.#isOurs || isDeadOnes, (event) => {
      if (!sightings?.isRepeat(event)) this.#events.handle(event);
    });
    const sightings =
      this.#mirror && isDeadOnes
        ? new TwoSightings(this.#mirror, events, (event) => this.#events.handle(event))
        : undefined;
    this.#replacedBy = undefined;
    this.#replaced = Promise.withResolvers();
    const socket = await this.#socketFor({
      connectTimeoutMs: settings.connectTimeoutMs,
      requestTimeoutMs: settings.commandTimeoutMs,
      onEvent: (event) => (event.type === 'ApplicationReplaced' ? this.#onReplaced() : events.take(event)),
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
    const over = new AbortController();
    void closed.promise.then(() => over.abort());
    this.#closing.signal.addEventListener('abort', this.#closeSocket, { once: true });
    try {
      const { version, features } = before ?? (await this.#learnWho(socket));
      if (features.restOverWebSocket) this.#fastWay = socket;
      this.#stands = true;
      if (this.#isOurs) this.#takeCommands();
      expectOk(await this.#slowWay.request(applications.filter({ applicationName: shard, filter: EVENT_FILTER })));
      if (!this.#isOurs) {
        await this.#reconciler.learnChannels();
        this.#standing.resolve();
        await Promise.race([this.#ours.promise, closed.promise]);
        if (over.signal.aborted) return;
        this.#takeCommands();
      }
      this.#tell({ state: 'syncing' });
      if (!sightings) events.letThrough();
      await this.#reconciler.reconcile(over.signal, sightings);
      // One that was handed over to us had published everything.
      if (!sightings) void this.#mirror?.close();
      if (!over.signal.aborted) this.#mirror = undefined;
      this.#places.keepAll();
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
      this.#fastWay = undefined;
      sockets.delete(socket);
      this.#connected = false;
      this.#stands = false;
      this.#closing.signal.removeEventListener('abort', this.#closeSocket);
      this.#intake.stop();
      this.#origination.stop();
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
    if (!this.#isSuspended && !this.#replacedBy) this.#intake.start();
  }

  #takeOriginations(): void {
    if (this.#connected && !this.#isSuspended && !this.#isDraining) this.#origination.start();
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

const NOT_HELD = { ok: false, code: 'CF_SHARD_NOT_HELD', message: 'it is to be seen who has the shard' } as const;

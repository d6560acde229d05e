import { setTimeout as wait } from 'node:timers/promises';
import { type AriCloseInfo, AriHttp, AriSocket, applications, expectOk, readFeatures } from '@callfleet/ari';
import { answer, type Bus, commandSchema, type EventOutbox, KeptCalls, subjects } from '@callfleet/bus';
import type { Config, PbxConfig } from '@callfleet/config';
import type { CallId } from '@callfleet/identity';
import type { LeaseRedis } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { CallOffers } from './call-offers.ts';
import { ChannelIndex } from './channel-index.ts';
import { CommandExecutor } from './command-executor.ts';
import { EVENT_FILTER } from './event-filter.ts';
import { EventPublisher } from './event-publisher.ts';
import { LiveCalls } from './live-call.ts';
import { connectionCounter, countRefusal } from './metrics.ts';
import { Origination } from './origination.ts';
import type { PbxGuard } from './pbx-guard.ts';
import { ShardEvents } from './shard-events.ts';
import { ShardReconciler } from './shard-reconciler.ts';
import { TrunkPlaces } from './trunk-places.ts';
import { WorkerWatch } from './worker-watch.ts';

export interface ShardLinkOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly outbox: EventOutbox;
  readonly gateway: string;
  readonly pbx: PbxConfig;
  readonly shard: string;
  readonly guard: PbxGuard;
  readonly settings: Config['gateway'];
  readonly isWorkerGone: (worker: string, call?: CallId) => Promise<boolean>;
  readonly log: Logger;
}

const FORGET_EVERY_MS = 10_000;

/**
 * One shard in our hands: its ARI socket, the way of its events down to the bus, and the way of commands up to the PBX.
 * A socket that is lost is made again until the link is closed; the calls are remembered meanwhile.
 */
export class ShardLink {
  readonly #options: ShardLinkOptions;
  readonly #log: Logger;
  readonly #calls = new LiveCalls();
  readonly #kept: KeptCalls;
  readonly #reconciler: ShardReconciler;
  readonly #http: AriHttp;
  /** Set while it is open and Asterisk takes requests over it: several times faster than HTTP. */
  #fastWay: AriSocket | undefined;
  readonly #offers: CallOffers;
  readonly #events: ShardEvents;
  readonly #executor: CommandExecutor;
  readonly #places: TrunkPlaces;
  readonly #origination: Origination;
  readonly #workers: WorkerWatch;
  readonly #countConnection: () => void;
  #connected = false;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ShardLinkOptions) {
    const { bus, outbox, gateway, pbx, shard, settings } = options;
    const log = options.log.child({ pbx: pbx.name, shard });
    this.#options = options;
    this.#log = log;
    this.#http = new AriHttp({ ...pbx, requestTimeoutMs: settings.commandTimeoutMs });
    const ari = options.guard.over({
      request: (request, requestOptions) => (this.#fastWay ?? this.#http).request(request, requestOptions),
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
    this.#events = new ShardEvents({ shard, ari, publisher, offers, log });
    this.#executor = new CommandExecutor({
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
      http: this.#http,
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
    this.#countConnection = connectionCounter({ pbx: pbx.name, shard });
    this.#running = this.#keepConnected();
  }

  /** Its event socket stands. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Calls that have not ended. */
  get calls(): number {
    return this.#calls.live;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    this.#offers.close();
    this.#workers.close();
    this.#places.close();
    this.#kept.close();
    await this.#http.close();
  }

  async #keepConnected(): Promise<void> {
    const { reconnectMinMs, reconnectMaxMs } = this.#options.settings;
    const forgetting = setInterval(() => this.#calls.forgetEnded(Date.now()), FORGET_EVERY_MS);
    let pauseMs = reconnectMinMs;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#serveOneSocket(() => {
          pauseMs = reconnectMinMs;
        });
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        this.#log.error({ err: error, againInMs: pauseMs }, 'shard.unreachable');
      }
      await wait(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, reconnectMaxMs);
    }
    clearInterval(forgetting);
  }

  /** Connects, serves until the socket closes, and takes down what hung on it. */
  async #serveOneSocket(onServing: () => void): Promise<void> {
    const { pbx, shard, settings } = this.#options;
    const { version, features } = await readFeatures(this.#http);
    const closed = Promise.withResolvers<AriCloseInfo>();
    const socket = await AriSocket.connect(
      {
        ...pbx,
        apps: [shard],
        connectTimeoutMs: settings.connectTimeoutMs,
        requestTimeoutMs: settings.commandTimeoutMs,
        onEvent: (event) => this.#events.handle(event),
        onMalformed: (problem) => this.#log.warn({ problem }, 'shard.malformed-frame'),
        onListenerError: (error) => this.#log.error({ err: error }, 'shard.event-failed'),
        onClose: closed.resolve,
      },
      this.#closing.signal,
    );
    if (features.restOverWebSocket) this.#fastWay = socket;
    const commands = this.#takeCommands();
    let requests: { unsubscribe(): void } | undefined;
    const closeSocket = () => void socket.close();
    const over = new AbortController();
    void closed.promise.then(() => over.abort());
    this.#closing.signal.addEventListener('abort', closeSocket, { once: true });
    try {
      expectOk(await this.#http.request(applications.filter({ applicationName: shard, filter: EVENT_FILTER })));
      await this.#reconciler.reconcile(over.signal);
      this.#places.keepAll();
      requests = this.#origination.listen();
      this.#log.info({ version: version.text, restOverSocket: features.restOverWebSocket }, 'shard.connected');
      this.#connected = true;
      this.#countConnection();
      onServing();
      const info = await closed.promise;
      if (info.by !== 'us') this.#log.warn(info, 'shard.socket-lost');
    } finally {
      this.#fastWay = undefined;
      this.#connected = false;
      this.#closing.signal.removeEventListener('abort', closeSocket);
      commands.unsubscribe();
      requests?.unsubscribe();
      await socket.close();
    }
  }

  /** Only while a socket stands: without one the command has no taker, and its sender knows that at once. */
  #takeCommands(): { unsubscribe(): void } {
    const { bus, pbx, shard } = this.#options;
    return answer(
      bus,
      subjects.commands(pbx.name, shard),
      commandSchema,
      async (command, trace) => countRefusal(await this.#executor.execute(command, trace)),
      ({ message }) => ({ ok: false as const, code: 'CF_BUS_BAD_MESSAGE' as const, message }),
    );
  }
}

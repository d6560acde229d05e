import { setTimeout as wait } from 'node:timers/promises';
import {
  type AriCloseInfo,
  AriHttp,
  type AriRequester,
  AriSocket,
  applications,
  bridges,
  channels,
  expectOk,
  type KnownAsterisk,
  readFeatures,
} from '@callfleet/ari';
import type { Config, ReachablePbx } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import type { PbxGuard } from '../commands/pbx-guard.ts';
import type { IncomingEvent } from '../events/channel-index.ts';
import { EVENT_FILTER } from '../events/event-filter.ts';
import { PbxSnapshot } from '../events/pbx-snapshot.ts';
import { mirrorOf } from '../names/mirror-name.ts';
import { MirrorSubscriptions, sourcesOf } from './mirror-subscriptions.ts';
import { MirroredEvents } from './mirrored-events.ts';

export interface ShardMirrorOptions {
  readonly pbx: ReachablePbx;
  readonly shard: string;
  readonly guard: PbxGuard;
  readonly settings: Config['gateway'];
  /** Asked before each socket is opened. @throws PbxIdentityError when that Asterisk is another PBX's */
  readonly claimIdentity: (entityId: string | undefined) => Promise<void>;
  readonly log: Logger;
}

/** Of its own, to the PBX. */
const MOST_CONNECTIONS = 4;
/** By then the gateway that has the shard knows of us, and subscribes what comes; milliseconds. */
const KNOWN_AFTER_MS = 1500;

/**
 * What happens on another gateway's shard, seen over a socket of our own. The last moments are kept; nothing of it is published
 * unless the shard becomes ours. A socket that is lost is made again, and not one that another gateway has taken.
 */
export class ShardMirror {
  readonly #options: ShardMirrorOptions;
  readonly #http: AriHttp;
  readonly #guarded: AriRequester;
  readonly #kept: MirroredEvents;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #onEvent: ((event: IncomingEvent) => void) | undefined;
  #asterisk: KnownAsterisk | undefined;
  #connected = false;
  #isReplaced = false;
  #closed: Promise<void> | undefined;

  constructor(options: ShardMirrorOptions) {
    const { pbx, guard, settings } = options;
    this.#options = options;
    this.#http = new AriHttp({ ...pbx, requestTimeoutMs: settings.commandTimeoutMs, maxConnections: MOST_CONNECTIONS });
    this.#guarded = guard.over(this.#http);
    this.#kept = new MirroredEvents(settings.mirrorMs, () => performance.now());
    this.#running = this.#keepConnected();
  }

  /** Its socket stands, and is told of every channel of the shard. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Who has said who it is, while its socket stands. */
  get asterisk(): KnownAsterisk | undefined {
    return this.#asterisk;
  }

  /** Another gateway mirrors the shard now. What was seen is still there. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** How many events it keeps. */
  get length(): number {
    return this.#kept.length;
  }

  /** What it has seen in the last moments, in order. */
  peek(): IncomingEvent[] {
    return this.#kept.peek();
  }

  /** Told of each event from now on. */
  listen(onEvent: (event: IncomingEvent) => void): void {
    this.#onEvent = onEvent;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#onEvent = undefined;
    this.#closing.abort();
    await this.#running;
    await this.#http.close();
  }

  async #keepConnected(): Promise<void> {
    const { pbx, shard, settings, log } = this.#options;
    let pauseMs = settings.reconnectMinMs;
    let isTold = false;
    while (!this.#closing.signal.aborted && !this.#isReplaced) {
      try {
        await this.#followOneSocket();
        pauseMs = settings.reconnectMinMs;
        isTold = false;
      } catch (error) {
        // That the PBX is away its shard's gateway says as an error, again and again.
        if (!this.#closing.signal.aborted && !isTold)
          log.warn({ pbx: pbx.name, shard, err: error }, 'mirror.unreachable');
        isTold = true;
      }
      await wait(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, settings.reconnectMaxMs);
    }
  }

  async #followOneSocket(): Promise<void> {
    const { pbx, shard, settings, log } = this.#options;
    const { signal } = this.#closing;
    const asterisk = await readFeatures(this.#http);
    await this.#options.claimIdentity(asterisk.entityId);
    const closed = Promise.withResolvers<AriCloseInfo>();
    const application = mirrorOf(shard);
    const socket = await AriSocket.connect(
      {
        ...pbx,
        apps: [application],
        connectTimeoutMs: settings.connectTimeoutMs,
        requestTimeoutMs: settings.commandTimeoutMs,
        onEvent: (event) => {
          if (event.type === 'ApplicationReplaced') {
            this.#isReplaced = true;
            close();
          } else {
            this.#kept.take(event);
            this.#onEvent?.(event);
          }
        },
        onListenerError: (error) => log.error({ pbx: pbx.name, shard, err: error }, 'mirror.event-failed'),
        onClose: closed.resolve,
      },
      signal,
    );
    const close = () => void socket.close();
    signal.addEventListener('abort', close, { once: true });
    void closed.promise.then(() => {
      this.#asterisk = undefined;
    });
    this.#asterisk = asterisk;
    try {
      expectOk(await this.#http.request(applications.filter({ applicationName: application, filter: EVENT_FILTER })));
      const subscribed = new Set<string>();
      await this.#subscribeToAll(subscribed);
      this.#connected = !this.#isReplaced && !signal.aborted;
      if (this.#connected) log.info({ pbx: pbx.name, shard }, 'mirror.connected');
      await Promise.race([closed.promise, wait(KNOWN_AFTER_MS, undefined, { signal }).catch(() => {})]);
      if (this.#connected && !signal.aborted) await this.#subscribeToAll(subscribed);
      const info = await closed.promise;
      if (info.by !== 'us') log.warn({ pbx: pbx.name, shard, ...info }, 'mirror.socket-lost');
    } finally {
      this.#connected = false;
      signal.removeEventListener('abort', close);
      await socket.close();
    }
  }

  /**
   * What comes from now on is subscribed by the gateway that has the shard, once it knows that there is a mirror.
   *
   * @param subscribed what is already; the rest is added
   */
  async #subscribeToAll(subscribed: Set<string>): Promise<void> {
    const { pbx, shard } = this.#options;
    const [channelsThere, bridgesThere] = await Promise.all([
      this.#http.request(channels.list()),
      this.#http.request(bridges.list()),
    ]);
    const snapshot = new PbxSnapshot(pbx.name, shard, expectOk(channelsThere), expectOk(bridgesThere));
    const subscriptions = new MirrorSubscriptions({ pbx: pbx.name, shard }, this.#guarded, () => true);
    const sources = sourcesOf(snapshot).filter((source) => !subscribed.has(source));
    for (const source of sources) subscribed.add(source);
    await subscriptions.add(sources);
  }
}

import { setTimeout as wait } from 'node:timers/promises';
import {
  type AriCloseInfo,
  AriHttp,
  type AriRequester,
  AriSocket,
  applications,
  expectOk,
  isKnownEvent,
  readFeatures,
  type StasisStart,
} from '@callfleet/ari';
import { answer, type Bus, commandSchema, type EventOutbox, subjects } from '@callfleet/bus';
import type { Config, PbxConfig } from '@callfleet/config';
import { partsOfCallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import type { IncomingEvent } from './call-of-event.ts';
import { CallOffers } from './call-offers.ts';
import { CommandExecutor } from './command-executor.ts';
import { EVENT_FILTER } from './event-filter.ts';
import { EventPublisher } from './event-publisher.ts';
import { LiveCalls } from './live-call.ts';

export interface ShardLinkOptions {
  readonly bus: Bus;
  readonly outbox: EventOutbox;
  readonly gateway: string;
  readonly pbx: PbxConfig;
  readonly shard: string;
  readonly settings: Config['gateway'];
  readonly log: Logger;
}

/**
 * One shard in our hands: its ARI socket, the way of its events down to the bus, and the way of commands up to the PBX.
 * A socket that is lost is made again until the link is closed.
 */
export class ShardLink {
  readonly #options: ShardLinkOptions;
  readonly #log: Logger;
  readonly #http: AriHttp;
  readonly #calls = new LiveCalls();
  /** Event types of a newer Asterisk than our types know: passed on like all others, and told once each. */
  readonly #unknownTypes = new Set<string>();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ShardLinkOptions) {
    const { pbx, shard, settings } = options;
    this.#options = options;
    this.#log = options.log.child({ pbx: pbx.name, shard });
    this.#http = new AriHttp({ ...pbx, requestTimeoutMs: settings.commandTimeoutMs });
    this.#running = this.#keepConnected();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#http.close();
  }

  async #keepConnected(): Promise<void> {
    const { settings } = this.#options;
    let pauseMs = settings.reconnectMinMs;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#serveOneSocket(() => {
          pauseMs = settings.reconnectMinMs;
        });
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#log.error({ err: error, againInMs: pauseMs }, 'shard.unreachable');
      }
      await wait(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, settings.reconnectMaxMs);
    }
  }

  /** Connects, serves until the socket closes, and takes down what hung on it. */
  async #serveOneSocket(onServing: () => void): Promise<void> {
    const { bus, outbox, gateway, pbx, shard, settings } = this.#options;
    const { version, features } = await readFeatures(this.#http);
    const socketClosed = Promise.withResolvers<AriCloseInfo>();
    let ari: AriRequester = this.#http;
    const publisher = new EventPublisher(pbx.name, gateway, this.#calls, outbox);
    const offers = new CallOffers({
      bus,
      ari: { request: (request, options) => ari.request(request, options) },
      gateway,
      pbx: pbx.name,
      shard,
      zone: pbx.zone,
      pool: pbx.pool,
      claimTimeoutMs: settings.claimTimeoutMs,
      log: this.#log,
    });

    const socket = await AriSocket.connect(
      {
        ...pbx,
        apps: [shard],
        connectTimeoutMs: settings.connectTimeoutMs,
        requestTimeoutMs: settings.commandTimeoutMs,
        onEvent: (event) => this.#handle(event, publisher, offers, () => ari),
        onMalformed: (problem) => this.#log.warn({ problem }, 'shard.malformed-frame'),
        onListenerError: (error) => this.#log.error({ err: error }, 'shard.event-failed'),
        onClose: (closed) => socketClosed.resolve(closed),
      },
      this.#closing.signal,
    );
    if (features.restOverWebSocket) ari = socket;
    const executor = new CommandExecutor({
      pbx: pbx.name,
      shard,
      calls: this.#calls,
      ari,
      timeoutMs: settings.commandTimeoutMs,
      onClaimed: (call) => offers.settle(call),
      log: this.#log,
    });
    const commands = answer(
      bus,
      subjects.commands(pbx.name, shard),
      commandSchema,
      (command, trace) => executor.execute(command, trace),
      (error) => ({ ok: false as const, code: 'CF_BUS_BAD_MESSAGE' as const, message: error.message }),
    );
    const forgetting = setInterval(() => this.#calls.forgetEnded(Date.now()), 10_000);
    const onClosing = () => void socket.close();
    this.#closing.signal.addEventListener('abort', onClosing, { once: true });
    try {
      expectOk(await this.#http.request(applications.filter({ applicationName: shard, filter: EVENT_FILTER })));
      this.#log.info({ version: version.text, restOverSocket: ari === socket }, 'shard.connected');
      onServing();
      const closed = await socketClosed.promise;
      if (closed.by !== 'us') this.#log.warn(closed, 'shard.socket-lost');
    } finally {
      this.#closing.signal.removeEventListener('abort', onClosing);
      clearInterval(forgetting);
      commands.unsubscribe();
      offers.close();
      await socket.close();
    }
  }

  #handle(event: IncomingEvent, publisher: EventPublisher, offers: CallOffers, ari: () => AriRequester): void {
    if (!isKnownEvent(event) && !this.#unknownTypes.has(event.type)) {
      this.#unknownTypes.add(event.type);
      this.#log.warn({ type: event.type }, 'shard.unknown-event-type');
    }
    const call = publisher.callOf(event);
    if (!call) {
      this.#log.debug({ type: event.type }, 'event.of-no-call');
      return;
    }
    const isOwn = 'channel' in event && (event.channel as { id?: string }).id === partsOfCallId(call.id)?.channelId;
    if (isOwn && event.type === 'StasisStart') {
      offers.offer(call, event as StasisStart);
      void this.#followToEnd(event as StasisStart, ari());
    }
    if (isOwn && (event.type === 'StasisEnd' || event.type === 'ChannelDestroyed')) {
      call.endedAt ??= Date.now();
      offers.settle(call);
    }
    publisher.publish(call, event);
  }

  /** Without this an application's last word on a channel is StasisEnd; ChannelDestroyed tells why it ended. */
  async #followToEnd({ channel }: StasisStart, ari: AriRequester): Promise<void> {
    const eventSource = [`channel:${channel.id}`];
    try {
      await ari.request(applications.subscribe({ applicationName: this.#options.shard, eventSource }));
    } catch (error) {
      this.#log.warn({ channel: channel.id, err: error }, 'shard.subscribe-failed');
    }
  }
}

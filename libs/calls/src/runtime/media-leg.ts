import { type AriRequest, bridges, channels } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { type CallId, resourceId } from '@callfleet/identity';
import type { MediaEnd } from '../call.ts';
import { MediaUnavailableError } from '../errors.ts';
import type { CallHost, OpenMediaSession } from './call-host.ts';
import type { EventWaiters } from './event-waiters.ts';
import type { Operation } from './operation.ts';

export interface MediaLegOptions {
  readonly host: CallHost;
  readonly waiters: EventWaiters;
  readonly call: CallId;
  readonly channelId: string;
  /** 1 for the call's first leg, 2 for its second, ... */
  readonly n: number;
  readonly provider: string;
  readonly providerOptions: Readonly<Record<string, unknown>>;
}

/** One media leg of a call: a session in a relay, the channel that carries it, and the bridge to the caller. */
export class MediaLeg {
  /** The leg's channel, and its session's name in the relay. */
  readonly id: string;
  readonly provider: string;
  readonly ended: Promise<MediaEnd>;
  readonly #options: MediaLegOptions;
  readonly #bridgeId: string;
  readonly #over = Promise.withResolvers<MediaEnd>();
  #session: Pick<OpenMediaSession, 'relay' | 'close'> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: MediaLegOptions) {
    this.#options = options;
    this.id = resourceId(options.call, 'media', options.n);
    this.#bridgeId = resourceId(options.call, 'bridge', options.n);
    this.provider = options.provider;
    this.ended = this.#over.promise;
  }

  /**
   * Makes the leg in the only order that holds under load: choose the id, ask for the channel, wait for its
   * StasisStart, and only then bridge it. Every other order fails with 422 or 409.
   *
   * @throws MediaUnavailableError, PbxRefusedError, or the signal's reason
   */
  async open(operation: Operation, callEnded: AbortSignal): Promise<void> {
    const { host, waiters, channelId, provider, providerOptions } = this.#options;
    const tooLate = new AbortController();
    const cancelTimer = host.clock.after(host.connectTimeoutMs, () =>
      tooLate.abort(MediaUnavailableError.of(`the media leg was not there within ${host.connectTimeoutMs} ms`)),
    );
    const signal = AbortSignal.any([callEnded, tooLate.signal]);
    try {
      const bridge = operation.commandOk(bridges.createWithId({ bridgeId: this.#bridgeId, type: 'mixing' }));
      // Awaited below; if another step fails first, its own failure must not go unhandled.
      bridge.catch(() => {});
      const session = await host.openMedia(this.id, provider, providerOptions, operation.noted as string | undefined);
      this.#session = session;
      // Before the leg is made for it: whoever carries this on must ask the same relay.
      if (operation.noted === undefined) await operation.note(session.relay);
      signal.throwIfAborted();

      const legStarted = waiters.next((event) => isStart(event, this.id), signal);
      legStarted.catch(() => {});
      const leg = await operation.commandOk(
        channels.externalMedia({ channelId: this.id, app: host.app, ...session.leg }),
      );
      signal.throwIfAborted();
      await session.attach((leg.channelvars ?? {}) as Record<string, string>);
      await legStarted;
      await bridge;
      await operation.commandOk(bridges.addChannel({ bridgeId: this.#bridgeId, channel: [channelId, this.id] }));
    } finally {
      cancelTimer();
    }
  }

  /** The relay that has its session. */
  get relay(): string | undefined {
    return this.#session?.relay;
  }

  /** Its session was opened by an earlier owner of the call. */
  wasOpenedIn(relay: string): void {
    this.#session ??= this.#options.host.knownMedia(this.id, relay);
  }

  /** Told every event of the call; notices when the leg ends by itself. */
  deliver(event: CallEvent): void {
    if (event.type === 'media.ended' && event.data.session === this.id)
      this.#over.resolve({
        reason: event.data.reason as MediaEnd['reason'],
        ...(typeof event.data.detail === 'string' && { detail: event.data.detail }),
      });
    else if (LEAVING.has(event.type) && channelOf(event) === this.id) this.#over.resolve({ reason: 'leg-gone' });
  }

  /** Takes everything down, whatever of it is there. Never throws for what is gone already. */
  close(operation: Operation, reason: string): Promise<void> {
    this.#closing ??= this.#close(operation, reason);
    return this.#closing;
  }

  async #close(operation: Operation, reason: string): Promise<void> {
    await Promise.all([
      this.#session?.close(reason),
      remove(operation, channels.hangup({ channelId: this.id })),
      remove(operation, bridges.destroy({ bridgeId: this.#bridgeId })),
    ]);
    this.#over.resolve({ reason: 'closed' });
  }
}

/** Asterisk tells an application StasisEnd for certain, and ChannelDestroyed only while it is still subscribed. */
const LEAVING = new Set(['ari.StasisEnd', 'ari.ChannelDestroyed']);

const GONE = 404;

async function remove(operation: Operation, request: AriRequest<unknown>): Promise<void> {
  const response = await operation.command(request);
  if (response.status >= 400 && response.status !== GONE)
    throw new Error(`${request.method} ${request.route} answered ${response.status} ${response.reason}`);
}

function isStart(event: CallEvent, channelId: string): boolean {
  return event.type === 'ari.StasisStart' && channelOf(event) === channelId;
}

function channelOf(event: CallEvent): string | undefined {
  return (event.data.channel as { id?: string } | undefined)?.id;
}

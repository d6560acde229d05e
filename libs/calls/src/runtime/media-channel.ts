import { bridges, channels } from '@callfleet/ari';
import type { Spoken } from '@callfleet/bus';
import { MediaUnavailableError, PbxRefusedError } from '../errors.ts';
import type { KnownMediaSession, LegParameters, MediaOrder } from './call-host.ts';
import type { CallScope } from './call-scope.ts';
import { isStartOf } from './channel-events.ts';
import type { Operation } from './operation.ts';

const EXISTS = 409;

/** By which a leg's channel tells where its media is. */
const LEG_VARIABLES: Readonly<Record<LegParameters['encapsulation'], readonly string[]>> = {
  rtp: ['UNICASTRTP_LOCAL_ADDRESS', 'UNICASTRTP_LOCAL_PORT'],
  none: ['MEDIA_WEBSOCKET_CONNECTION_ID', 'MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE'],
  audiosocket: [],
};

/** A provider and its options. */
export interface MediaProvider {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface OpenChannel {
  /** The relay that is to have the session. Default: the best. */
  readonly relay?: string | undefined;
  readonly history?: readonly Spoken[] | undefined;
  /** What the leg is brought into, and who else. */
  readonly bridgeId: string;
  readonly others: readonly string[];
  /** The bridge is there. */
  readonly bridge: Promise<unknown>;
  /** The relay has made room; nothing of the leg is made before this has resolved. */
  readonly onRoom: (relay: string) => Promise<void>;
}

/** One session in a relay, and the channel that carries it: both under one id. */
export class MediaChannel {
  readonly id: string;
  readonly provider: MediaProvider;
  /** Of the leg's first channel. */
  readonly #conversation: string;
  readonly #scope: CallScope;
  #session: KnownMediaSession | undefined;
  #closing: Promise<void> | undefined;

  constructor(scope: CallScope, id: string, provider: MediaProvider, conversation = id) {
    this.#scope = scope;
    this.id = id;
    this.#conversation = conversation;
    this.provider = provider;
  }

  /**
   * Makes the leg in the only order that holds under load: choose the id, ask for the channel, wait for its
   * StasisStart, and only then bridge it. Every other order fails with 422 or 409.
   *
   * @throws MediaUnavailableError, PbxRefusedError, or the signal's reason
   */
  async open(operation: Operation, { bridge, bridgeId, others, history, relay, onRoom }: OpenChannel): Promise<void> {
    const { host, events, privacy } = this.#scope;
    const tooLate = new AbortController();
    const cancelTimer = host.clock.after(host.connectTimeoutMs, () =>
      tooLate.abort(MediaUnavailableError.of(`the media leg was not there within ${host.connectTimeoutMs} ms`)),
    );
    const signal = AbortSignal.any([operation.signal, tooLate.signal]);
    try {
      const { name, options } = this.provider;
      const session = await host.openMedia(this.id, name, {
        options,
        history,
        conversation: this.#conversation,
        relay,
      });
      this.#session = session;
      if (privacy.on) await session.order({ op: 'private', on: true });
      await onRoom(session.relay);
      signal.throwIfAborted();

      const legStarted = events.first((event) => isStartOf(event, this.id), signal);
      legStarted.catch(() => {});
      const variables = await this.#make(operation, session.leg);
      signal.throwIfAborted();
      await session.attach(variables);
      await legStarted;
      await bridge;
      await operation.commandOk(bridges.addChannel({ bridgeId, channel: [...others, this.id] }));
    } finally {
      cancelTimer();
    }
  }

  /** @returns its channel's variables, which tell the relay where it is */
  async #make(operation: Operation, parameters: LegParameters): Promise<Readonly<Record<string, string>>> {
    const channelId = this.id;
    const request = channels.externalMedia({ channelId, app: this.#scope.host.app, ...parameters });
    const { status, reason, body } = await operation.command(request);
    if (status < 400) return (body.channelvars ?? {}) as Record<string, string>;
    if (status !== EXISTS) throw PbxRefusedError.of(operation.name, status, reason);
    // An earlier gateway made it, and its answer was lost.
    const names = LEG_VARIABLES[parameters.encapsulation];
    const asked = names.map(async (variable, n) => {
      const { value } = await operation.commandOk(channels.getChannelVar({ channelId, variable }), n + 1);
      return [variable, value] as const;
    });
    return Object.fromEntries(await Promise.all(asked));
  }

  /** The relay that has its session. */
  get relay(): string | undefined {
    return this.#session?.relay;
  }

  /** Its session was opened by an earlier owner of the call. */
  wasOpenedIn(relay: string): void {
    this.#session ??= this.#scope.host.knownMedia(this.id, relay);
  }

  /** @throws MediaUnavailableError */
  async order(order: MediaOrder): Promise<void> {
    if (!this.#session) throw MediaUnavailableError.of('it was never open');
    await this.#session.order(order);
  }

  /** Takes session and channel down, whatever of it is there. Never throws for what is gone already. */
  close(operation: Operation, reason: string): Promise<void> {
    this.#closing ??= Promise.all([
      this.#session?.close(reason),
      operation.remove(channels.hangup({ channelId: this.id })),
    ]).then(() => {});
    return this.#closing;
  }
}

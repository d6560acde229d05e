import { bridges, channels } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import type { MediaEnd } from '../conversation.ts';
import { LegEndedError, MediaUnavailableError, PbxRefusedError } from '../errors.ts';
import { BRIDGE_TYPE } from './bridge-type.ts';
import type { KnownMediaSession, LegParameters, MediaOrder } from './call-host.ts';
import type { CallScope } from './call-scope.ts';
import { digitOf, isEndOf, isStartOf } from './channel-events.ts';
import type { Operation } from './operation.ts';
import type { PrivacyMember } from './privacy.ts';

const EXISTS = 409;

/** By which a leg's channel tells where its media is. */
const LEG_VARIABLES: Readonly<Record<LegParameters['encapsulation'], readonly string[]>> = {
  rtp: ['UNICASTRTP_LOCAL_ADDRESS', 'UNICASTRTP_LOCAL_PORT'],
  none: ['MEDIA_WEBSOCKET_CONNECTION_ID', 'MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE'],
  audiosocket: [],
};

/** One media leg of a call: a session in a relay, the channel that carries it, and the bridge to the caller. */
export class MediaLeg implements PrivacyMember {
  /** The leg's channel, and its session's name in the relay. */
  readonly id: string;
  readonly provider: string;
  readonly ended: Promise<MediaEnd>;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
  readonly #scope: CallScope;
  readonly #providerOptions: Readonly<Record<string, unknown>>;
  readonly #bridgeId: string;
  readonly #isOver = new AbortController();
  readonly #end = Promise.withResolvers<MediaEnd>();
  #session: KnownMediaSession | undefined;
  readonly #leavePrivacy: () => void;
  #isTalking = false;
  /** What is heard happened before there was this leg, or was told to whoever had the call before. */
  #isPast = true;
  #closing: Promise<void> | undefined;

  constructor(scope: CallScope, provider: string, providerOptions: Readonly<Record<string, unknown>>) {
    this.#scope = scope;
    this.#providerOptions = providerOptions;
    this.id = scope.newId('media');
    this.#bridgeId = scope.newId('bridge');
    this.provider = provider;
    this.ended = this.#end.promise;
    this.over = this.#isOver.signal;
    this.#leavePrivacy = scope.privacy.join(this);
    scope.events.subscribe((event) => this.#hear(event));
    this.#isPast = false;
    scope.removeAtEnd((operation) => this.close(operation, 'the call ended'));
  }

  /**
   * Makes the leg in the only order that holds under load: choose the id, ask for the channel, wait for its
   * StasisStart, and only then bridge it. Every other order fails with 422 or 409.
   *
   * @throws MediaUnavailableError, PbxRefusedError, or the signal's reason
   */
  async open(operation: Operation): Promise<void> {
    const { host, events, caller } = this.#scope;
    const tooLate = new AbortController();
    const cancelTimer = host.clock.after(host.connectTimeoutMs, () =>
      tooLate.abort(MediaUnavailableError.of(`the media leg was not there within ${host.connectTimeoutMs} ms`)),
    );
    const signal = AbortSignal.any([operation.signal, tooLate.signal]);
    try {
      const bridge = operation.make(bridges.createWithId({ bridgeId: this.#bridgeId, type: BRIDGE_TYPE }));
      // Awaited below; if another step fails first, its own failure must not go unhandled.
      bridge.catch(() => {});
      const relay = operation.noted as string | undefined;
      const session = await host.openMedia(this.id, this.provider, this.#providerOptions, relay);
      this.#session = session;
      if (this.#scope.privacy.on) await session.order({ op: 'private', on: true });
      // Before the leg is made for it: whoever carries this on must ask the same relay.
      if (operation.noted === undefined) await operation.note(session.relay);
      signal.throwIfAborted();

      const legStarted = events.first((event) => isStartOf(event, this.id), signal);
      legStarted.catch(() => {});
      const variables = await this.#make(operation, session.leg);
      signal.throwIfAborted();
      await session.attach(variables);
      await legStarted;
      await bridge;
      await operation.commandOk(bridges.addChannel({ bridgeId: this.#bridgeId, channel: [caller.id, this.id] }));
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

  async setPrivate(_operation: Operation, on: boolean): Promise<void> {
    if (this.over.aborted) return;
    await this.#session?.order({ op: 'private', on }).catch((error: unknown) => {
      if (!this.over.aborted) throw error;
    });
  }

  /** Takes everything down, whatever of it is there. Never throws for what is gone already. */
  close(operation: Operation, reason: string): Promise<void> {
    this.#closing ??= this.#close(operation, reason);
    return this.#closing;
  }

  async #close(operation: Operation, reason: string): Promise<void> {
    await Promise.all([
      this.#session?.close(reason),
      operation.remove(channels.hangup({ channelId: this.id })),
      operation.remove(bridges.destroy({ bridgeId: this.#bridgeId })),
    ]);
    this.#finish({ reason: 'closed' });
  }

  /** Told every event of the call; notices when the leg ends by itself. */
  #hear(event: CallEvent): void {
    if (event.type === 'media.ended' && event.data.session === this.id)
      this.#finish({
        reason: event.data.reason as MediaEnd['reason'],
        ...(typeof event.data.detail === 'string' && { detail: event.data.detail }),
      });
    else if (isEndOf(event, this.id)) this.#finish({ reason: 'leg-gone' });
    else if (event.type === 'media.started' && event.data.session === this.id) this.#isTalking = true;
    else this.#passOn(event);
  }

  /** Not every leg carries keys: RTP legs of Asterisk do not. The relay takes each once. */
  #passOn(event: CallEvent): void {
    const key = this.#isPast || !this.#isTalking ? undefined : digitOf(event, this.#scope.caller.id);
    if (key === undefined || this.over.aborted || this.#scope.privacy.on) return;
    void this.#session?.order({ op: 'digit', id: event.id, key }).catch(() => {});
  }

  #finish(end: MediaEnd): void {
    this.#leavePrivacy();
    this.#end.resolve(end);
    this.#isOver.abort(new LegEndedError('the conversation has ended'));
  }
}

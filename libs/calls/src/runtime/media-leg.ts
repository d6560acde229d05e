import { bridges } from '@callfleet/ari';
import type { CallEvent, Spoken } from '@callfleet/bus';
import { type ResourceId, resourceId } from '@callfleet/identity';
import { z } from 'zod';
import type { MediaEnd } from '../conversation.ts';
import { LegEndedError, MediaUnavailableError } from '../errors.ts';
import { BRIDGE_TYPE } from './bridge-type.ts';
import type { MediaOrder } from './call-host.ts';
import type { CallScope } from './call-scope.ts';
import { digitOf, isEndOf, isOf } from './channel-events.ts';
import { MediaChannel, type MediaProvider } from './media-channel.ts';
import { Operation } from './operation.ts';
import type { PrivacyMember } from './privacy.ts';

export interface MediaLegOptions {
  readonly provider: MediaProvider;
  /** Who takes over when a provider fails, in this order. */
  readonly fallbacks?: readonly MediaProvider[] | undefined;
  /** What an earlier owner of the call has noted. */
  readonly noted?: unknown;
  /** Notes something for the operation that makes the leg, also when that is long done. */
  readonly note: (value: unknown) => Promise<void>;
}

/** What is noted of a leg: where its session is. A name alone is the relay of the first session. */
const noteSchema = z.union([
  z.string().transform((relay) => ({ relay, session: undefined, provider: 0, isOver: false })),
  z.object({
    relay: z.string(),
    session: z.string(),
    provider: z.int().nonnegative(),
    /** The program may have been told that it is over. */
    isOver: z.boolean().default(false),
  }),
]);

/** Only `connect` notes such a thing. */
export function isMediaNote(note: unknown): boolean {
  return noteSchema.safeParse(note).success;
}

/** How often a leg may be moved to another session in one owner's hands. */
const MOST_MOVES = 5;
/** How long another session is tried for, milliseconds, and how long between two tries. */
const MOVE_WITHIN_MS = 10_000;
const MOVE_AGAIN_MS = 500;
/** A relay that ends a session says so about when its channel ends; one that died is known to be dead soon after. Milliseconds. */
const WHY_GONE_MS = 1500;
/** Of what was said, for an AI that goes on for another. */
const MOST_HISTORY = 50;
/** A session that a leg is moved to has a number of its own: of the leg, the owner, and the move. */
const OF_OWNER = 100_000;
const OF_MOVE = 1000;

/**
 * One media leg of a call: a bridge with the caller, and a session in a relay with the channel that carries it. When its relay is lost
 * or stops, or its provider fails and there is another, it is moved to a new session, whose AI is told what was said.
 */
export class MediaLeg implements PrivacyMember {
  /** Of its first session and channel. */
  readonly id: ResourceId;
  readonly ended: Promise<MediaEnd>;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
  readonly #scope: CallScope;
  readonly #number: number;
  readonly #providers: readonly MediaProvider[];
  readonly #note: MediaLegOptions['note'];
  readonly #ownBridgeId: string;
  /** Where its channel was seen last: a program may have brought it into a room. */
  #bridgeId: string;
  readonly #isOver = new AbortController();
  readonly #end = Promise.withResolvers<MediaEnd>();
  readonly #leavePrivacy: () => void;
  /** All that it has had in this owner's hands; the last one is in use. */
  readonly #channels: MediaChannel[];
  readonly #history: Spoken[] = [];
  #provider: number;
  /** The program has been told that it is there. */
  #isOpen = false;
  /** Its session has ended before that. */
  #ending: MediaEnd | undefined;
  #isMoving = false;
  #moving: Promise<void> | undefined;
  readonly #stopMoving = new AbortController();
  /** An earlier owner has told so. */
  readonly #isKnownOver: boolean;
  /** Where its first session of this owner is has been noted. */
  readonly #isNoted: boolean;
  #moves = 0;
  #isTalking = false;
  /** What is heard happened before there was this leg, or was told to whoever had the call before. */
  #isPast = true;
  #closing: Promise<void> | undefined;

  constructor(scope: CallScope, { provider, fallbacks = [], noted, note }: MediaLegOptions) {
    this.#scope = scope;
    this.#providers = [provider, ...fallbacks];
    this.#note = note;
    this.id = scope.newId('media');
    this.#number = Number(/\d+$/.exec(this.id)?.[0]);
    this.#ownBridgeId = scope.newId('bridge');
    this.#bridgeId = this.#ownBridgeId;
    this.ended = this.#end.promise;
    this.over = this.#isOver.signal;
    const known = noteSchema.safeParse(noted).data;
    this.#provider = known?.provider ?? 0;
    const channel = new MediaChannel(scope, known?.session ?? this.id, this.#providerInUse, this.id);
    if (known) channel.wasOpenedIn(known.relay);
    this.#isKnownOver = known?.isOver === true;
    if (this.#isKnownOver) this.#ending = { reason: 'relay-lost' };
    this.#isNoted = known !== undefined;
    this.#channels = [channel];
    this.#leavePrivacy = scope.privacy.join(this);
    scope.events.subscribe((event) => this.#hear(event));
    this.#isPast = false;
    scope.removeAtEnd((operation) => this.close(operation, 'the call ended'));
  }

  get #channel(): MediaChannel {
    return this.#channels.at(-1) as MediaChannel;
  }

  get #providerInUse(): MediaProvider {
    return this.#providers[this.#provider] as MediaProvider;
  }

  /** Of the channel that is in use. */
  get channelId(): string {
    return this.#channel.id;
  }

  get provider(): string {
    return this.#providerInUse.name;
  }

  /** Whether a session is, or was, of this leg. */
  owns(session: string): boolean {
    if (session === this.id) return true;
    const number = Number(/~media(\d+)$/.exec(session)?.[1]);
    return number >= OF_OWNER && number % OF_MOVE === this.#number && session.startsWith(`${this.#scope.id}~`);
  }

  /** @throws MediaUnavailableError, PbxRefusedError, or the signal's reason */
  async open(operation: Operation): Promise<void> {
    const bridge = operation.make(bridges.createWithId({ bridgeId: this.#ownBridgeId, type: BRIDGE_TYPE }));
    // Awaited below; if another step fails first, its own failure must not go unhandled.
    bridge.catch(() => {});
    for (let isNoted = this.#isNoted; ; isNoted = false) {
      const channel = this.#channel;
      try {
        await channel.open(operation, {
          bridge,
          bridgeId: this.#ownBridgeId,
          others: [this.#scope.caller.id],
          relay: channel.relay,
          // Whoever carries this on must ask the same relay.
          onRoom: async (relay) => (isNoted ? undefined : operation.note(this.#noteOf(channel, relay))),
        });
        return;
      } catch (error) {
        if (!(error instanceof MediaUnavailableError) || this.#provider + 1 >= this.#providers.length) throw error;
        void channel.close(operation, 'its provider failed').catch(() => {});
        this.#provider += 1;
        this.#nextChannel();
      }
    }
  }

  #noteOf({ id }: MediaChannel, relay: string): unknown {
    return id === this.id ? relay : { relay, session: id, provider: this.#provider };
  }

  #nextChannel(): MediaChannel {
    this.#moves += 1;
    const n = (this.#scope.host.epoch * 100 + this.#moves) * OF_MOVE + this.#number;
    const next = new MediaChannel(this.#scope, resourceId(this.#scope.id, 'media', n), this.#providerInUse, this.id);
    this.#channels.push(next);
    this.#ending = undefined;
    this.#isTalking = false;
    return next;
  }

  /** The program is told that it is there: from now on it is kept there. */
  opened(): void {
    this.#isOpen = true;
    if (this.#ending) this.#onSessionEnd(this.#ending);
  }

  /** The relay that has its session. */
  get relay(): string | undefined {
    return this.#channel.relay;
  }

  /** @throws MediaUnavailableError */
  order(order: MediaOrder): Promise<void> {
    return this.#channel.order(order);
  }

  async setPrivate(_operation: Operation, on: boolean): Promise<void> {
    if (this.over.aborted || this.relay === undefined) return;
    const asked = this.#channel;
    // A session that it is moved to is as private as the call is, from its start.
    const isOfNoAccount = () => this.over.aborted || this.#isMoving || asked !== this.#channel;
    await this.order({ op: 'private', on }).catch(async (error: unknown) => {
      // That its relay is gone may not be known yet.
      if (!isOfNoAccount()) await this.#passed(WHY_GONE_MS);
      if (!isOfNoAccount()) throw error;
    });
  }

  /** Takes everything down, whatever of it is there. Never throws for what is gone already. */
  close(operation: Operation, reason: string): Promise<void> {
    this.#closing ??= this.#close(operation, reason);
    return this.#closing;
  }

  async #close(operation: Operation, reason: string): Promise<void> {
    // What is being made must be there, or have failed, before it can be removed.
    this.#stopMoving.abort(new LegEndedError('the conversation is closed'));
    await this.#moving;
    await Promise.all([
      ...this.#channels.map((channel) => channel.close(operation, reason)),
      operation.remove(bridges.destroy({ bridgeId: this.#ownBridgeId })),
    ]);
    this.#finish({ reason: 'closed' });
  }

  /** Told every event of the call. */
  #hear(event: CallEvent): void {
    const { session } = event.data as { session?: unknown };
    if (event.type.startsWith('media.')) {
      if (typeof session === 'string' && this.owns(session)) this.#hearSession(event, session);
    } else if (isEndOf(event, this.channelId)) this.#onChannelEnd();
    else if (event.type === 'ari.ChannelEnteredBridge' && isOf(event, this.channelId)) {
      const { bridge } = event.data as { bridge?: { id?: string } };
      this.#bridgeId = bridge?.id ?? this.#bridgeId;
    } else this.#passOn(event);
  }

  #hearSession(event: CallEvent, session: string): void {
    if (event.type === 'media.turn') {
      const { role, text } = event.data as unknown as Spoken;
      this.#history.push({ role, text });
      if (this.#history.length > MOST_HISTORY) this.#history.shift();
    }
    if (session !== this.channelId) return;
    if (event.type === 'media.started') this.#isTalking = true;
    else if (event.type === 'media.lost') this.#onSessionEnd({ reason: 'relay-lost' });
    else if (event.type === 'media.ended') {
      const { reason, detail } = event.data;
      const end = { reason: reason as MediaEnd['reason'], ...(typeof detail === 'string' && { detail }) };
      this.#onSessionEnd(end);
    }
  }

  /** Not every leg carries keys: RTP legs of Asterisk do not. The relay takes each once. */
  #passOn(event: CallEvent): void {
    const key = this.#isPast || !this.#isTalking ? undefined : digitOf(event, this.#scope.caller.id);
    if (key === undefined || this.over.aborted || this.#scope.privacy.on || this.relay === undefined) return;
    void this.order({ op: 'digit', id: event.id, key }).catch(() => {});
  }

  #onChannelEnd(): void {
    const gone = this.channelId;
    const tell = () => {
      if (gone === this.channelId && !this.#isMoving) this.#onSessionEnd({ reason: 'leg-gone' });
    };
    if (this.#isOpen) this.#scope.host.clock.after(WHY_GONE_MS, tell);
    else tell();
  }

  #onSessionEnd(end: MediaEnd): void {
    if (this.over.aborted || this.#closing || this.#isMoving) return;
    // Whoever makes it learns it from what fails.
    if (!this.#isOpen) this.#ending ??= end;
    else if (this.#canMove(end)) this.#moving = this.#move(end).catch(() => this.#finish(end));
    else this.#finish(end);
  }

  #canMove({ reason }: MediaEnd): boolean {
    if (this.#isKnownOver) return false;
    if (reason === 'provider-failed') return this.#provider + 1 < this.#providers.length;
    return (reason === 'relay-lost' || reason === 'relay-stopped') && this.#moves < MOST_MOVES;
  }

  /** To another session, in another relay or with the next provider. */
  async #move(end: MediaEnd): Promise<void> {
    const { host, log } = this.#scope;
    this.#isMoving = true;
    await log.whenLive;
    const gone = this.#channel;
    if (end.reason === 'provider-failed') this.#provider += 1;
    const until = host.clock.now() + MOVE_WITHIN_MS;
    for (;;) {
      if (this.over.aborted || this.#closing) return;
      const next = this.#nextChannel();
      const over = AbortSignal.any([this.#scope.over, this.#stopMoving.signal]);
      const operation = new Operation({ host, name: 'move', key: `move ${next.id}`, over });
      try {
        await host.operation('conversation.move', 0, () => this.#openNext(operation, next));
        break;
      } catch (error) {
        // Not to be awaited: what does not answer must not keep the caller waiting.
        void next.close(operation, 'it did not get ready').catch(() => {});
        if (host.clock.now() >= until || this.#moves >= MOST_MOVES) {
          // Or the next owner would try again, when the program has gone on without it.
          await this.#note({ relay: '', session: next.id, provider: this.#provider, isOver: true });
          this.#isMoving = false;
          this.#finish({
            ...end,
            detail: `${end.detail ?? 'its session is lost'}, and no other is to be had: ${(error as Error).message}`,
          });
          return;
        }
        // It was not taken, so the next one is asked, and the last again.
        const hasNext = end.reason === 'provider-failed' && this.#provider + 1 < this.#providers.length;
        if (hasNext && error instanceof MediaUnavailableError) this.#provider += 1;
        else await this.#passed(MOVE_AGAIN_MS);
      }
    }
    this.#isMoving = false;
    const closing = new Operation({ host, name: 'move', key: `moved ${gone.id}`, over: this.#scope.over });
    void gone.close(closing, 'moved').catch(() => {});
  }

  #passed(ms: number): Promise<void> {
    return new Promise((resolve) => this.#scope.host.clock.after(ms, resolve));
  }

  #openNext(operation: Operation, next: MediaChannel): Promise<void> {
    return next.open(operation, {
      bridge: Promise.resolve(),
      bridgeId: this.#bridgeId,
      others: [],
      history: this.#history,
      onRoom: (relay) => this.#note(this.#noteOf(next, relay)),
    });
  }

  #finish(end: MediaEnd): void {
    this.#leavePrivacy();
    this.#end.resolve(end);
    this.#isOver.abort(new LegEndedError('the conversation has ended'));
  }
}

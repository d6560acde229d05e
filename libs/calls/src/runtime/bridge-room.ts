import { bridges, channels } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { LegEndedError, PbxRefusedError } from '../errors.ts';
import type { Media } from '../media.ts';
import type { OperationOptions } from '../operation-options.ts';
import type { HoldOptions, Joinable, Party } from '../party.ts';
import type { Room } from '../room.ts';
import { BRIDGE_TYPE } from './bridge-type.ts';
import type { CallScope } from './call-scope.ts';
import { isEndOf } from './channel-events.ts';
import type { Operation } from './operation.ts';
import { listOf, playToEnd, stopPlayback } from './playback.ts';

const GONE = 404;
const GONE_GRACE_MS = 1000;
/** A shared room may end between its making and our joining, again and again. */
const MAKE_ATTEMPTS = 3;

/** A mixing bridge on the PBX. */
export class BridgeRoom implements Room {
  readonly #scope: CallScope;
  readonly #bridgeId: string;
  /** Other calls may be in it: it is theirs as much. */
  readonly #isShared: boolean;
  readonly #members = new Set<Joinable>();

  constructor(scope: CallScope, bridgeId: string, { isShared = false } = {}) {
    this.#scope = scope;
    this.#bridgeId = bridgeId;
    this.#isShared = isShared;
    scope.removeAtEnd((operation) => this.#remove(operation));
  }

  /** Makes it, and takes in who is in it from the start. */
  async make(operation: Operation, parties: readonly Joinable[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await operation.make(bridges.createWithId({ bridgeId: this.#bridgeId, type: BRIDGE_TYPE }), attempt);
      const isThere = await this.#add(operation, parties, attempt);
      if (isThere) return;
      // The last of the others left in between, and took the room along.
      if (!this.#isShared || attempt === MAKE_ATTEMPTS) throw PbxRefusedError.of(operation.name, GONE, 'no bridge');
    }
  }

  /** Known from the moment at which the program asks for it. */
  admit(parties: readonly Joinable[]): void {
    for (const party of parties) this.#members.add(party);
  }

  join(...parties: Joinable[]): Promise<void> {
    this.admit(parties);
    return this.#scope.ask('room.join', async (operation) => {
      await this.#join(operation, parties);
    });
  }

  leave(party: Joinable): Promise<void> {
    this.#members.delete(party);
    return this.#scope.ask('room.leave', (operation) => this.#take(operation, party));
  }

  mute(party: Party): Promise<void> {
    return party.mute('in');
  }

  unmute(party: Party): Promise<void> {
    return party.unmute('in');
  }

  hold(party: Party, { music }: HoldOptions = {}): Promise<void> {
    return this.#scope.ask('room.hold', async (operation) => {
      await this.#take(operation, party);
      await operation.commandOk(channels.startMoh({ channelId: party.channelId, mohClass: music }));
    });
  }

  unhold(party: Party): Promise<void> {
    return this.#scope.ask('room.unhold', async (operation) => {
      await operation.commandOk(channels.stopMoh({ channelId: party.channelId }));
      await this.#join(operation, [party]);
    });
  }

  announce(media: Media | readonly Media[], { to }: { to?: Party | undefined } = {}): Promise<void> {
    if (to) return to.play(media, { interruptible: false });
    const playbackId = this.#scope.newId('playback');
    const list = listOf(media);
    return this.#scope.ask(
      'room.announce',
      (operation) =>
        playToEnd(operation, {
          events: this.#scope.events,
          playbackId,
          media: list,
          request: bridges.playWithId({ bridgeId: this.#bridgeId, playbackId, media: list }),
          signal: operation.signal,
        }),
      { undo: (operation) => stopPlayback(operation, playbackId) },
    );
  }

  ended(options?: OperationOptions): Promise<void> {
    const members = [...this.#members];
    return this.#scope.ask(
      'room.ended',
      async ({ signal }) => {
        await this.#scope.events.first((event) => members.some(({ channelId }) => isEndOf(event, channelId)), signal);
      },
      { options },
    );
  }

  close(): Promise<void> {
    const members = [...this.#members];
    this.#members.clear();
    return this.#scope.ask('room.close', async (operation) => {
      if (this.#isShared) for (const [n, member] of members.entries()) await this.#take(operation, member, n + 1);
      await this.#remove(operation);
    });
  }

  async #join(operation: Operation, parties: readonly Joinable[]): Promise<void> {
    if (!(await this.#add(operation, parties))) throw PbxRefusedError.of(operation.name, GONE, 'the room is closed');
  }

  /** @returns false when there is no such room @throws LegEndedError, PbxRefusedError */
  async #add(operation: Operation, parties: readonly Joinable[], attempt = 1): Promise<boolean> {
    const channel = parties.map(({ channelId }) => channelId);
    const request = bridges.addChannel({ bridgeId: this.#bridgeId, channel });
    const { status, reason } = await operation.command(request, attempt);
    if (status < 400) return true;
    if (status === GONE) return false;
    const gone = await this.#goneSoon(channel, operation.signal);
    if (gone !== undefined && gone !== this.#scope.caller.id) throw new LegEndedError();
    throw PbxRefusedError.of(operation.name, status, reason);
  }

  /** Which of the channels ends in this moment: Asterisk refuses it before its last event is read. */
  async #goneSoon(channels: readonly string[], over: AbortSignal): Promise<string | undefined> {
    const limit = new AbortController();
    const cancel = this.#scope.host.clock.after(GONE_GRACE_MS, () => limit.abort());
    const isEnd = (event: CallEvent) => channels.some((channelId) => isEndOf(event, channelId));
    const event = await this.#scope.events.first(isEnd, AbortSignal.any([over, limit.signal])).catch(() => undefined);
    cancel();
    return event && channels.find((channelId) => isEndOf(event, channelId));
  }

  /** Who is not in it, or is gone, is out of it. @param attempt tells several of one operation apart */
  async #take(operation: Operation, { channelId }: Joinable, attempt = 1): Promise<void> {
    await operation.command(bridges.removeChannel({ bridgeId: this.#bridgeId, channel: [channelId] }), attempt);
  }

  async #remove(operation: Operation): Promise<void> {
    if (this.#isShared) {
      const { status, body } = await operation.command(bridges.get({ bridgeId: this.#bridgeId }));
      if (status >= 400 || body.channels.length > 0) return;
    }
    await operation.remove(bridges.destroy({ bridgeId: this.#bridgeId }));
  }
}

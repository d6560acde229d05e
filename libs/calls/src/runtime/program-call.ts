import { type AriRequest, channels } from '@callfleet/ari';
import type { Call, CallContext, ConnectOptions, DialplanTarget } from '../call.ts';
import type { Conversation } from '../conversation.ts';
import type { Dialed, DialOptions, TransferOptions, Transferred } from '../dial.ts';
import { CallEndedError, PbxRefusedError } from '../errors.ts';
import type { OperationOptions } from '../operation-options.ts';
import type { HangupReason, Joinable } from '../party.ts';
import type { Room } from '../room.ts';
import { abortable } from './abortable.ts';
import { attendedTransfer } from './attended-transfer.ts';
import { BridgeRoom } from './bridge-room.ts';
import type { CallScope } from './call-scope.ts';
import { ChannelLeg } from './channel-leg.ts';
import { ChannelParty, type PartyMaker } from './channel-party.ts';
import { ConversationSession } from './conversation-session.ts';
import { Dialing, type KeptDial, reasonOf } from './dialing.ts';
import { MediaLeg } from './media-leg.ts';
import { describeTools } from './tool-runner.ts';

/** Who ended a call. */
export type EndedBy = 'caller' | 'program' | 'dialplan' | 'transfer' | 'unanswered' | 'cancelled' | 'error';

export interface ProgramCallOptions {
  readonly context: CallContext;
  readonly scope: CallScope;
  readonly makes: PartyMaker;
  /** Aborted when the program is told that the call is over. */
  readonly signal: AbortSignal;
  /** The program ends the call by this. */
  readonly onEnding: (by: EndedBy) => void;
}

/** How long the PBX may take to tell that a call is over which it was asked to end, milliseconds. */
export const END_LIMIT_MS = 5000;
/** A channel that is gone answers 404 a moment before its last event is read. */
const GONE_GRACE_MS = 1000;
/** How long the other side may take to follow a blind transfer, milliseconds: it calls the target meanwhile. */
const REFER_LIMIT_MS = 30_000;
/** A sleep at least this long goes on after a takeover where it was, instead of from its beginning; milliseconds. */
const LONG_SLEEP_MS = 1000;

/** A call as its program sees it: turns what the program asks for into operations. */
export class ProgramCall extends ChannelParty implements Call {
  readonly id: CallContext['id'];
  readonly pbx: string;
  readonly direction: CallContext['direction'];
  readonly caller: CallContext['caller'];
  readonly called: CallContext['called'];
  readonly args: readonly string[];
  readonly variables: CallContext['variables'];
  readonly signal: AbortSignal;
  readonly #makes: PartyMaker;
  readonly #onEnding: (by: EndedBy) => void;
  /** Where the caller hears a leg already, since before it answered. */
  readonly #earlyRooms = new WeakMap<object, BridgeRoom>();

  constructor({ context, scope, makes, signal, onEnding }: ProgramCallOptions) {
    super({ scope, channel: scope.caller, prefix: '', over: scope.over, makes });
    this.id = context.id;
    this.pbx = context.pbx;
    this.direction = context.direction;
    this.caller = context.caller;
    this.called = context.called;
    this.args = context.args;
    this.variables = context.variables;
    this.signal = signal;
    this.#makes = makes;
    this.#onEnding = onEnding;
  }

  answer(): Promise<void> {
    return this.order('answer', channels.answer({ channelId: this.channelId }));
  }

  ring(): Promise<void> {
    return this.order('ring', channels.ring({ channelId: this.channelId }));
  }

  connect(
    provider: string,
    { tools, fallbacks = [], ...given }: ConnectOptions = {},
    options?: OperationOptions,
  ): Promise<Conversation> {
    const declared = tools ? { tools: describeTools(tools) } : {};
    const { log } = this.scope;
    const number = log.nextNumber;
    const leg = new MediaLeg(this.scope, {
      provider: { name: provider, options: { ...given, ...declared } },
      fallbacks: fallbacks.map(({ provider: name, options: its = {} }) => ({ name, options: { ...its, ...declared } })),
      noted: log.nextNote,
      note: (value) => log.note(number, value),
    });
    const conversation = new ConversationSession(this.scope, leg);
    return this.ask(
      'connect',
      async (operation) => {
        try {
          await leg.open(operation);
        } catch (error) {
          await leg.close(operation, 'connect failed');
          throw error;
        }
        return leg.relay;
      },
      {
        options,
        undo: (operation) => leg.close(operation, 'cancelled by the program'),
        revive: (): Conversation => {
          if (tools) conversation.runTools(tools);
          leg.opened();
          return conversation;
        },
      },
    );
  }

  dial(endpoint: string | readonly string[], dial: DialOptions = {}): Promise<Dialed> {
    const endpoints = typeof endpoint === 'string' ? [endpoint] : [...endpoint];
    if (endpoints.length === 0) throw new TypeError('dial: no endpoint is given');
    if (dial.earlyMedia && endpoints.length > 1) throw new TypeError('dial: earlyMedia is for one endpoint');
    const legs = endpoints.map(() => new ChannelLeg(this.scope, this.scope.newId('leg'), this.#makes));
    const earlyBridgeId = dial.earlyMedia ? this.scope.newId('bridge') : undefined;
    const dialing = new Dialing({
      scope: this.scope,
      originator: this.scope.caller.id,
      endpoints,
      channelIds: legs.map(({ channelId }) => channelId),
      earlyBridgeId,
      dial,
    });
    return this.ask('dial', (operation) => dialing.run(operation), {
      options: { signal: dial.signal },
      undo: (operation) => dialing.undo(operation),
      revive: ({ answered, attempts }: KeptDial): Dialed => {
        if (answered === undefined) return { answered: false, reason: reasonOf(attempts), attempts };
        const leg = legs[answered] as ChannelLeg;
        if (earlyBridgeId !== undefined) this.#earlyRooms.set(leg, new BridgeRoom(this.scope, earlyBridgeId));
        return { answered: true, leg, endpoint: endpoints[answered] as string, attempts };
      },
    });
  }

  bridge(...parties: Joinable[]): Promise<Room> {
    const early = parties.map((party) => this.#earlyRooms.get(party)).find((room) => room !== undefined);
    return this.#makeRoom('bridge', early ?? new BridgeRoom(this.scope, this.scope.newId('bridge')), [
      this,
      ...parties,
    ]);
  }

  room(...parties: Joinable[]): Promise<Room> {
    return this.#makeRoom('room', new BridgeRoom(this.scope, this.scope.newId('bridge')), parties);
  }

  conference(name: string): Promise<Room> {
    const room = new BridgeRoom(this.scope, `conference-${encodeURIComponent(name)}`, { isShared: true });
    return this.#makeRoom('conference', room, [this]);
  }

  transfer(target: string | readonly string[], options: TransferOptions = {}): Promise<Transferred> {
    if (options.kind !== 'blind') return attendedTransfer(this, target, options);
    if (typeof target !== 'string') throw new TypeError('transfer: a blind one has one target');
    return this.#refer(target);
  }

  sleep(milliseconds: number, options?: Pick<OperationOptions, 'signal'>): Promise<void> {
    return this.ask(
      'sleep',
      async (operation) => {
        const { clock } = this.scope.host;
        const until = typeof operation.noted === 'number' ? operation.noted : clock.now() + milliseconds;
        if (operation.noted === undefined && milliseconds >= LONG_SLEEP_MS) await operation.note(until);
        const timer = Promise.withResolvers<void>();
        const cancel = clock.after(Math.max(0, until - clock.now()), timer.resolve);
        await abortable(timer.promise, operation.signal).finally(cancel);
      },
      { options },
    );
  }

  step<T>(name: string, work: (signal: AbortSignal) => Promise<T> | T, options?: OperationOptions): Promise<T> {
    return this.scope.ask(`step ${name}`, async ({ signal }) => work(signal), { needs: 'nothing', options });
  }

  now(): Promise<number> {
    return this.scope.ask('now', async () => this.scope.host.clock.now(), { needs: 'nothing' });
  }

  random(): Promise<number> {
    return this.scope.ask('random', async () => Math.random(), { needs: 'nothing' });
  }

  async inPrivate<T>(work: () => Promise<T>): Promise<T> {
    const { privacy } = this.scope;
    const isFirst = privacy.enter();
    try {
      if (isFirst) await this.scope.ask('private.begin', (operation) => privacy.tell(operation, true));
      return await work();
    } finally {
      if (privacy.leave())
        await this.scope
          .ask('private.end', (operation) => privacy.tell(operation, false))
          .catch((error: unknown) => {
            if (!(error instanceof CallEndedError)) throw error;
          });
    }
  }

  override hangup(reason: HangupReason = 'normal'): Promise<void> {
    return this.#end('hangup', 'program', channels.hangup({ channelId: this.channelId, reason }));
  }

  continueInDialplan(target: DialplanTarget = {}): Promise<void> {
    const request = channels.continueInDialplan({ channelId: this.channelId, ...target });
    return this.#end('continueInDialplan', 'dialplan', request);
  }

  #makeRoom(name: string, room: BridgeRoom, members: readonly Joinable[]): Promise<Room> {
    room.admit(members);
    return this.scope.ask(name, (operation) => room.make(operation, members), { revive: (): Room => room });
  }

  /** Sends what ends the call, and waits until it has. Ending a call that is over changes nothing. */
  #end(name: string, by: EndedBy, request: AriRequest<void>): Promise<void> {
    if (this.signal.aborted && !this.scope.log.stopped) return Promise.resolve();
    this.#onEnding(by);
    return this.scope.ask(
      name,
      async (operation) => {
        const response = await operation.command(request);
        const over = await this.endsWithin(response.status < 400 ? END_LIMIT_MS : GONE_GRACE_MS);
        if (response.status >= 400 && !over) throw PbxRefusedError.of(name, response.status, response.reason);
      },
      { needs: 'nothing' },
    );
  }

  /** Asterisk's answer says only that it has asked. Whoever follows hangs up here; who does not is still with us. */
  #refer(target: string): Promise<Transferred> {
    return this.scope.ask(
      'transfer',
      async (operation): Promise<Transferred> => {
        await operation.commandOk(channels.redirect({ channelId: this.channelId, endpoint: target }));
        if (!(await this.endsWithin(REFER_LIMIT_MS)))
          return { transferred: false, reason: 'rejected', attempts: [{ endpoint: target, outcome: 'rejected' }] };
        return { transferred: true, kind: 'blind' };
      },
      {
        needs: 'nothing',
        revive: (result) => {
          if (result.transferred) this.#onEnding('transfer');
          return result;
        },
      },
    );
  }
}

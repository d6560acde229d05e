import { type AriRequest, channels } from '@callfleet/ari';
import { PbxRefusedError } from '../errors.ts';
import type { Media } from '../media.ts';
import type { OperationOptions } from '../operation-options.ts';
import type {
  Gathered,
  GatherOptions,
  HangupReason,
  HoldOptions,
  Leg,
  Party,
  PartyEvents,
  PlayOptions,
  SendDtmfOptions,
  SnoopOptions,
} from '../party.ts';
import type { Recording, RecordOptions } from '../recording.ts';
import { abortable } from './abortable.ts';
import type { Asking, CallScope } from './call-scope.ts';
import { CHANNEL_EVENT_TYPES, digitOf, readChannelEvent } from './channel-events.ts';
import { EventSource } from './event-source.ts';
import type { FollowedChannel } from './followed-channel.ts';
import { gatherDigits } from './gather.ts';
import { InputQueue } from './input-queue.ts';
import type { Operation } from './operation.ts';
import { listOf, playToEnd, stopPlayback } from './playback.ts';

/** A channel that is leaving Stasis answers so a moment before its last event is read, milliseconds. */
const GONE_GRACE_MS = 1000;
/** One that certainly is gone: its last event may have to come from another gateway, that has taken its shard over; milliseconds. */
const NOT_FOUND_GRACE_MS = 8000;
/** What Asterisk answers for a channel that is gone, or is leaving Stasis. */
const GONE_STATUS = new Set([404, 409, 412]);

export interface ChannelPartyOptions {
  readonly scope: CallScope;
  readonly channel: FollowedChannel;
  /** Before the names of its operations: empty for the caller. */
  readonly prefix: '' | 'leg.';
  /** Aborted when its channel is over; the reason is what its operations reject with. */
  readonly over: AbortSignal;
  /** Made by {@link ChannelParty.record} and `snoop`. */
  readonly makes: PartyMaker;
}

/** What a party makes that is more than a command. Handed in, since these need parties themselves. */
export interface PartyMaker {
  record(party: ChannelParty, options: RecordOptions): Promise<Recording>;
  snoop(party: ChannelParty, options: SnoopOptions): Promise<Leg>;
}

/** Somebody with a channel: what can be done with the caller and with a leg alike. */
export class ChannelParty implements Party {
  /** Digits that were pressed and not read yet. */
  readonly digits = new InputQueue<string>();
  protected readonly scope: CallScope;
  readonly #channel: FollowedChannel;
  readonly #prefix: string;
  readonly #over: AbortSignal;
  readonly #makes: PartyMaker;
  readonly #events: EventSource<PartyEvents>;

  constructor({ scope, channel, prefix, over, makes }: ChannelPartyOptions) {
    this.scope = scope;
    this.#channel = channel;
    this.#prefix = prefix;
    this.#over = over;
    this.#makes = makes;
    this.#events = new EventSource({
      scope,
      name: `${prefix}next`,
      types: CHANNEL_EVENT_TYPES,
      read: (event, type) => readChannelEvent(event, type, channel.id),
      over,
    });
    scope.events.subscribe((event) => {
      const digit = digitOf(event, channel.id);
      if (digit !== undefined) this.digits.push(digit);
    });
  }

  get channelId(): string {
    return this.#channel.id;
  }

  play(media: Media | readonly Media[], options: PlayOptions = {}): Promise<void> {
    const { interruptible = true } = options;
    const playbackId = this.scope.newId('playback');
    return this.ask('play', (operation) => this.#play(operation, playbackId, listOf(media), interruptible), {
      options,
      undo: (operation) => stopPlayback(operation, playbackId),
    });
  }

  async gather(options: GatherOptions = {}): Promise<Gathered> {
    const { retries = 0, retryPrompt = options.prompt } = options;
    let gathered = await this.#gather(options);
    for (let retry = 1; retry <= retries && gathered.digits === '' && gathered.reason === 'timeout'; retry += 1)
      gathered = await this.#gather({ ...options, prompt: retryPrompt });
    return gathered;
  }

  sendDtmf(digits: string, { durationMs = 100, betweenMs = 100 }: SendDtmfOptions = {}): Promise<void> {
    const { channelId } = this;
    return this.order(
      'sendDtmf',
      channels.sendDTMF({ channelId, dtmf: digits, duration: durationMs, between: betweenMs }),
    );
  }

  hold({ music }: HoldOptions = {}): Promise<void> {
    return this.order('hold', channels.startMoh({ channelId: this.channelId, mohClass: music }));
  }

  unhold(): Promise<void> {
    return this.order('unhold', channels.stopMoh({ channelId: this.channelId }));
  }

  mute(direction: 'in' | 'out' | 'both' = 'in'): Promise<void> {
    return this.order('mute', channels.mute({ channelId: this.channelId, direction }));
  }

  unmute(direction: 'in' | 'out' | 'both' = 'in'): Promise<void> {
    return this.order('unmute', channels.unmute({ channelId: this.channelId, direction }));
  }

  record(options: RecordOptions = {}): Promise<Recording> {
    return this.#makes.record(this, options);
  }

  snoop(options: SnoopOptions = {}): Promise<Leg> {
    return this.#makes.snoop(this, options);
  }

  setVariable(name: string, value: string): Promise<void> {
    return this.order('setVariable', channels.setChannelVar({ channelId: this.channelId, variable: name, value }));
  }

  getVariable(name: string): Promise<string | undefined> {
    return this.ask('getVariable', async (operation) => {
      const response = await operation.command(channels.getChannelVar({ channelId: this.channelId, variable: name }));
      // Of the two that may not be found Asterisk names one: "Provided variable was not found".
      if (response.status === 404 && response.reason.includes('variable')) return undefined;
      if (response.status >= 400) throw PbxRefusedError.of('getVariable', response.status, response.reason);
      return response.body.value;
    });
  }

  hangup(reason: HangupReason = 'normal'): Promise<void> {
    const request = channels.hangup({ channelId: this.channelId, reason });
    return this.scope.ask(`${this.#prefix}hangup`, (operation) => operation.remove(request));
  }

  next<Type extends keyof PartyEvents & string>(type: Type, options?: OperationOptions): Promise<PartyEvents[Type]> {
    return this.#events.next(type, options);
  }

  on<Type extends keyof PartyEvents & string>(
    type: Type,
    listener: (event: PartyEvents[Type]) => Promise<void> | void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  /** An operation that is one command. */
  protected order(name: string, request: AriRequest<unknown>): Promise<void> {
    return this.ask(name, async (operation) => {
      await operation.commandOk(request);
    });
  }

  /** An operation that needs its channel: that this is gone explains what the PBX refused. */
  ask<Kept, Told = Kept>(
    name: string,
    work: (operation: Operation) => Promise<Kept>,
    asking?: Asking<Kept, Told>,
  ): Promise<Told> {
    return this.scope.ask(
      `${this.#prefix}${name}`,
      async (operation) => {
        try {
          return await work(operation);
        } catch (error) {
          const isGone = error instanceof PbxRefusedError && GONE_STATUS.has(error.status);
          if (isGone && (await this.endsWithin(graceAfter(error)))) throw this.#over.reason;
          throw error;
        }
      },
      asking,
    );
  }

  /** What stops an operation of this party: it was cancelled, took too long, or the party is gone. */
  until(operation: Operation): AbortSignal {
    return AbortSignal.any([operation.signal, this.#over]);
  }

  /** Whether its channel is over within that time, milliseconds. */
  protected async endsWithin(limitMs: number): Promise<boolean> {
    const timer = Promise.withResolvers<void>();
    const cancel = this.scope.host.clock.after(limitMs, timer.resolve);
    await abortable(timer.promise, this.#over).catch(() => {});
    cancel();
    return this.#over.aborted;
  }

  #gather(options: GatherOptions): Promise<Gathered> {
    const playbackId = options.prompt === undefined ? undefined : this.scope.newId('playback');
    return this.ask(
      'gather',
      async (operation) => {
        if (playbackId && options.prompt) await this.#play(operation, playbackId, listOf(options.prompt), true);
        const { clock } = this.scope.host;
        return gatherDigits(this.digits, clock, options, operation, this.until(operation));
      },
      {
        options,
        inputs: this.digits,
        undo: async (operation) => playbackId && stopPlayback(operation, playbackId),
      },
    );
  }

  #play(operation: Operation, playbackId: string, media: readonly Media[], interruptible: boolean): Promise<void> {
    return playToEnd(operation, {
      events: this.scope.events,
      playbackId,
      media,
      request: channels.playWithId({ channelId: this.channelId, playbackId, media }),
      stopOn: interruptible ? this.digits : undefined,
      signal: this.until(operation),
    });
  }
}

/** 404 can also mean a variable, a playback, or a bridge. */
function graceAfter({ status, message }: PbxRefusedError): number {
  return status === 404 && /channel not found/i.test(message) ? NOT_FOUND_GRACE_MS : GONE_GRACE_MS;
}

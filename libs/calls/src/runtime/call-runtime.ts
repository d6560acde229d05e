import { type AriRequest, channels, playbacks } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { partsOfCallId, resourceId } from '@callfleet/identity';
import type {
  Call,
  CallContext,
  Conversation,
  DialplanTarget,
  Gathered,
  GatherOptions,
  HangupReason,
  Media,
  MediaEnd,
  PlayOptions,
  SendDtmfOptions,
} from '../call.ts';
import type { CallProgram } from '../define-call.ts';
import {
  CallEndedError,
  CallError,
  CallTakenOverError,
  PbxRefusedError,
  PlaybackFailedError,
  ProgramDivergedError,
  ProgramStuckError,
} from '../errors.ts';
import type { CallHost } from './call-host.ts';
import { advance, type CallProgress } from './call-progress.ts';
import { DigitBuffer } from './digit-buffer.ts';
import { EventWaiters } from './event-waiters.ts';
import { gatherDigits } from './gather.ts';
import { legsIn } from './journaled-legs.ts';
import { MediaLeg } from './media-leg.ts';
import { Operation } from './operation.ts';
import { OperationLog } from './operation-log.ts';

/** How a call ended, for its record. */
export interface CallOutcome extends CallProgress {
  readonly endedBy: 'caller' | 'program' | 'dialplan' | 'error';
  readonly error?: { readonly code: string; readonly message: string };
  /** How many digits were pressed. */
  readonly digits: number;
}

/** Why a call goes back to the dialplan without its program's wish. */
type GivenBack = 'PROGRAM_FAILED' | 'PROGRAM_DIVERGED' | 'PROGRAM_STUCK';

/** How long the PBX may take to tell that a call is over which it was asked to end, milliseconds. */
const END_LIMIT_MS = 5000;
/** A channel that is gone answers 404 a moment before its last event is read. */
const GONE_GRACE_MS = 1000;
/** The cause comes a moment after the end, milliseconds. */
const CAUSE_LIMIT_MS = 500;
/** A sleep at least this long goes on after a takeover where it was, instead of from its beginning; milliseconds. */
const LONG_SLEEP_MS = 1000;
/** What Asterisk answers for a channel that is gone, or is leaving Stasis. */
const GONE_STATUS = new Set([404, 409, 412]);

const asIs = <T>(kept: T): T => kept;

/** Runs one call program: turns its operations into commands, and the call's events into their results. */
export class CallRuntime implements Call {
  readonly id: CallContext['id'];
  readonly pbx: string;
  readonly direction: CallContext['direction'];
  readonly caller: CallContext['caller'];
  readonly called: CallContext['called'];
  readonly args: readonly string[];
  readonly variables: CallContext['variables'];
  readonly signal: AbortSignal;

  readonly #host: CallHost;
  readonly #channelId: string;
  readonly #digits = new DigitBuffer();
  readonly #waiters = new EventWaiters();
  readonly #legs: MediaLeg[] = [];
  readonly #log: OperationLog;
  /** Aborted at once when the call is over; the program's own signal when it is told so. */
  readonly #over = new AbortController();
  #progress: CallProgress = {};
  #endedBy: CallOutcome['endedBy'] = 'caller';

  constructor(context: CallContext, host: CallHost) {
    const parts = partsOfCallId(context.id);
    if (!parts) throw new TypeError(`"${context.id}" is no call id`);
    this.#channelId = parts.channelId;
    this.#host = host;
    this.id = context.id;
    this.pbx = context.pbx;
    this.direction = context.direction;
    this.caller = context.caller;
    this.called = context.called;
    this.args = context.args;
    this.variables = context.variables;
    const told = new AbortController();
    this.signal = told.signal;
    this.#log = new OperationLog({
      host,
      onReplayedDigits: (count) => this.#digits.drop(count),
      isOver: () => this.#over.signal.aborted,
      onEnded: () => told.abort(new CallEndedError()),
    });
  }

  /** Tells the call one of its events, in order. */
  deliver(event: CallEvent): void {
    this.#progress = advance(this.#progress, event, this.#channelId);
    if (event.type === 'ari.ChannelDtmfReceived') {
      const { channel, digit } = event.data as { channel?: { id?: string }; digit?: string };
      if (channel?.id === this.#channelId && digit !== undefined) this.#digits.press(digit);
    }
    for (const leg of this.#legs) leg.deliver(event);
    this.#waiters.deliver(event);
    if (this.#progress.endedAt !== undefined && !this.#over.signal.aborted) {
      this.#log.end();
      this.#over.abort(new CallEndedError());
    }
  }

  /** This worker does not act for the call any more: another has it, or shall have it. */
  abandon(why: string): void {
    const reason = new CallTakenOverError(why);
    this.#log.stop(reason);
    this.#over.abort(reason);
  }

  /**
   * Runs the program to its end, ends the call if it is still there, and removes everything made for it.
   *
   * @returns undefined when the call is another worker's by then
   */
  async run(program: CallProgram): Promise<CallOutcome | undefined> {
    const running = this.#runProgram(program);
    await this.#log.replay();
    let error = await running;
    if (this.#log.stopped instanceof ProgramDivergedError) error = this.#log.stopped;
    if (this.#log.stopped instanceof CallTakenOverError) return undefined;
    return this.#finish(error);
  }

  /**
   * Ends the call without its program, which can't be asked any more: gives it back to the dialplan, and removes what was
   * made for it.
   *
   * @param error what ended the program
   * @returns undefined when the call is another worker's by then
   */
  async giveUp(error: Error): Promise<CallOutcome | undefined> {
    for (const relay of legsIn(this.#host.journal.before)) {
      const leg = this.#addLeg('');
      if (relay !== undefined) leg.wasOpenedIn(relay);
    }
    const outcome = await this.#finish(error);
    return this.#log.stopped ? undefined : outcome;
  }

  async #finish(error: unknown): Promise<CallOutcome> {
    if (error) await this.#giveBack(statusOf(error));
    await this.#cleanUp();
    return {
      ...this.#progress,
      endedBy: error ? 'error' : this.#endedBy,
      ...(error !== undefined && { error: describe(error) }),
      digits: this.#digits.pressed,
    };
  }

  answer(): Promise<void> {
    return this.#ask('answer', async (operation) => {
      await operation.commandOk(channels.answer({ channelId: this.#channelId }));
    });
  }

  ring(): Promise<void> {
    return this.#ask('ring', async (operation) => {
      await operation.commandOk(channels.ring({ channelId: this.#channelId }));
    });
  }

  sendDtmf(digits: string, { durationMs = 100, betweenMs = 100 }: SendDtmfOptions = {}): Promise<void> {
    const request = channels.sendDTMF({
      channelId: this.#channelId,
      dtmf: digits,
      duration: durationMs,
      between: betweenMs,
    });
    return this.#ask('sendDtmf', async (operation) => {
      await operation.commandOk(request);
    });
  }

  play(media: Media | readonly Media[], options: PlayOptions = {}): Promise<void> {
    return this.#ask('play', (operation) => this.#play(operation, media, options.interruptible ?? true));
  }

  gather(options: GatherOptions = {}): Promise<Gathered> {
    return this.#ask('gather', async (operation) => {
      if (options.prompt !== undefined) await this.#play(operation, options.prompt, true);
      return gatherDigits(this.#digits, this.#host.clock, options, this.#over.signal, () => operation.readDigit());
    });
  }

  connect(provider: string, options: Readonly<Record<string, unknown>> = {}): Promise<Conversation> {
    const leg = this.#addLeg(provider, options);
    this.#waiters.replayTo((event) => leg.deliver(event));
    const noted = this.#log.nextNote;
    if (typeof noted === 'string') leg.wasOpenedIn(noted);
    const open = async (operation: Operation) => {
      try {
        await leg.open(operation, this.#over.signal);
      } catch (error) {
        await leg.close(operation, 'connect failed');
        throw error;
      }
      return leg.relay;
    };
    return this.#log.ask({ name: 'connect', work: open, needs: 'call', revive: () => this.#conversation(leg) });
  }

  setVariable(name: string, value: string): Promise<void> {
    return this.#ask('setVariable', async (operation) => {
      await operation.commandOk(channels.setChannelVar({ channelId: this.#channelId, variable: name, value }));
    });
  }

  getVariable(name: string): Promise<string | undefined> {
    return this.#ask('getVariable', async (operation) => {
      const response = await operation.command(channels.getChannelVar({ channelId: this.#channelId, variable: name }));
      if (response.status === 404 && !(await this.#endsSoon())) return undefined;
      if (response.status >= 400) throw PbxRefusedError.of('getVariable', response.status, response.reason);
      return response.body.value;
    });
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#ask('sleep', async (operation) => {
      const { clock } = this.#host;
      const until = typeof operation.noted === 'number' ? operation.noted : clock.now() + milliseconds;
      if (operation.noted === undefined && milliseconds >= LONG_SLEEP_MS) await operation.note(until);
      await this.#pause(Math.max(0, until - clock.now()));
    });
  }

  step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return this.#ask(`step ${name}`, async () => work(), 'nothing');
  }

  now(): Promise<number> {
    return this.#ask('now', async () => this.#host.clock.now(), 'nothing');
  }

  random(): Promise<number> {
    return this.#ask('random', async () => Math.random(), 'nothing');
  }

  hangup(reason: HangupReason = 'normal'): Promise<void> {
    return this.#end('hangup', 'program', channels.hangup({ channelId: this.#channelId, reason }));
  }

  continueInDialplan(target: DialplanTarget = {}): Promise<void> {
    const request = channels.continueInDialplan({ channelId: this.#channelId, ...target });
    return this.#end('continueInDialplan', 'dialplan', request);
  }

  /** @returns what it failed with; a program that lets the call's end pass has not failed */
  async #runProgram(program: CallProgram): Promise<unknown> {
    try {
      await program.run(this);
      if (!this.signal.aborted) await this.hangup();
    } catch (error) {
      if (!(error instanceof CallEndedError)) return error ?? new Error('the program threw nothing');
    }
    return undefined;
  }

  #ask<T>(name: string, work: (operation: Operation) => Promise<T>, needs: 'call' | 'nothing' = 'call'): Promise<T> {
    const carriedOut = needs === 'call' ? (operation: Operation) => this.#orGone(work(operation)) : work;
    return this.#log.ask({ name, work: carriedOut, needs, revive: asIs<T> });
  }

  #addLeg(provider: string, providerOptions: Readonly<Record<string, unknown>> = {}): MediaLeg {
    const leg = new MediaLeg({
      host: this.#host,
      waiters: this.#waiters,
      call: this.id,
      channelId: this.#channelId,
      n: this.#legs.length + 1,
      provider,
      providerOptions,
    });
    this.#legs.push(leg);
    return leg;
  }

  #conversation(leg: MediaLeg): Conversation {
    return {
      provider: leg.provider,
      ended: () => this.#ask<MediaEnd>('conversation.ended', () => abortable(leg.ended, this.#over.signal)),
      close: () => this.#ask('conversation.close', (operation) => leg.close(operation, 'closed by the program')),
    };
  }

  /** Sends what ends the call, and waits until it has. Ending a call that is over changes nothing. */
  #end(name: string, by: CallOutcome['endedBy'], request: AriRequest<void>): Promise<void> {
    if (this.signal.aborted && !this.#log.stopped) return Promise.resolve();
    this.#endedBy = by;
    const work = async (operation: Operation) => {
      const response = await operation.command(request);
      const over = await this.#endsSoon(response.status < 400 ? END_LIMIT_MS : GONE_GRACE_MS);
      if (response.status >= 400 && !over) throw PbxRefusedError.of(name, response.status, response.reason);
    };
    return this.#ask(name, work, 'nothing');
  }

  async #play(operation: Operation, media: Media | readonly Media[], interruptible: boolean): Promise<void> {
    if (interruptible && !this.#digits.isEmpty) return;
    const list = typeof media === 'string' ? [media] : [...media];
    const playbackId = resourceId(this.id, 'playback', Number(operation.key));
    const finished = this.#waiters.next(
      (event) =>
        event.type === 'ari.PlaybackFinished' &&
        (event.data as { playback?: { id?: string } }).playback?.id === playbackId,
      this.#over.signal,
    );
    finished.catch(() => {});
    await operation.commandOk(channels.playWithId({ channelId: this.#channelId, playbackId, media: list }));
    const stopListening = interruptible
      ? this.#digits.onPress(() => void operation.command(playbacks.stop({ playbackId })).catch(() => {}))
      : () => {};
    try {
      const event = await finished;
      if ((event.data as { playback?: { state?: string } }).playback?.state === 'failed')
        throw PlaybackFailedError.of(list.join(', '));
    } finally {
      stopListening();
    }
  }

  /** The channel may be gone before its last event is read: then what really happened is that the call ended. */
  async #orGone<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof PbxRefusedError && GONE_STATUS.has(error.status) && (await this.#endsSoon()))
        throw new CallEndedError();
      throw error;
    }
  }

  async #endsSoon(limitMs = GONE_GRACE_MS): Promise<boolean> {
    await this.#pause(limitMs).catch(() => {});
    return this.#over.signal.aborted;
  }

  /** Rejects when the call is over first. */
  #pause(milliseconds: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const cancel = this.#host.clock.after(milliseconds, timer.resolve);
    return abortable(timer.promise, this.#over.signal).finally(cancel);
  }

  /** No caller is left in silence: the dialplan reads why in CALLFLEET_STATUS. */
  async #giveBack(status: GivenBack): Promise<void> {
    if (this.#over.signal.aborted) return;
    await this.#onOwnAccount('give back', async (operation) => {
      const channelId = this.#channelId;
      try {
        await operation.commandOk(channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value: status }));
        await operation.commandOk(channels.continueInDialplan({ channelId }));
        await this.#endsSoon(END_LIMIT_MS);
      } catch {
        await operation.command(channels.hangup({ channelId, reason: 'congestion' })).catch(() => {});
      }
    });
  }

  async #cleanUp(): Promise<void> {
    // What is still being made must be there, or have failed, before it can be removed.
    await this.#log.settled();
    await this.#onOwnAccount('end', async (operation) => {
      await Promise.allSettled(this.#legs.map((leg) => leg.close(operation, 'the call ended')));
      await this.#causeKnown();
    });
  }

  /** What the runtime does beside the program: not in the journal, and done anew by every owner. */
  #onOwnAccount(name: string, work: (operation: Operation) => Promise<void>): Promise<void> {
    const operation = new Operation({ host: this.#host, name, key: `${name} ${this.#host.epoch}` });
    return this.#host.operation(name, 0, () => work(operation));
  }

  async #causeKnown(): Promise<void> {
    if (!this.#progress.hangingUp || this.#progress.cause) return;
    const limit = new AbortController();
    const cancel = this.#host.clock.after(CAUSE_LIMIT_MS, () => limit.abort());
    await this.#waiters.next(() => this.#progress.cause !== undefined, limit.signal).catch(() => {});
    cancel();
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function statusOf(error: unknown): GivenBack {
  if (error instanceof ProgramDivergedError) return 'PROGRAM_DIVERGED';
  return error instanceof ProgramStuckError ? 'PROGRAM_STUCK' : 'PROGRAM_FAILED';
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  return { code: 'CF_PROGRAM_FAILED', message: error instanceof Error ? error.message : String(error) };
}

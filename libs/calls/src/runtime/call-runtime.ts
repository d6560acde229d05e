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
  PlayOptions,
} from '../call.ts';
import type { CallProgram } from '../define-call.ts';
import { CallEndedError, CallError, CallTakenOverError, PbxRefusedError, PlaybackFailedError } from '../errors.ts';
import type { CallHost } from './call-host.ts';
import { advance, type CallProgress } from './call-progress.ts';
import { DigitBuffer } from './digit-buffer.ts';
import { EventWaiters } from './event-waiters.ts';
import { gatherDigits } from './gather.ts';
import { MediaLeg } from './media-leg.ts';
import { Operation } from './operation.ts';

/** How a call ended, for its record. */
export interface CallOutcome extends CallProgress {
  readonly endedBy: 'caller' | 'program' | 'dialplan' | 'error';
  readonly error?: { readonly code: string; readonly message: string };
  /** How many digits were pressed. */
  readonly digits: number;
}

/** How long the PBX may take to tell that a call is over which it was asked to end, milliseconds. */
const END_LIMIT_MS = 5000;
/** A channel that is gone answers 404 a moment before its last event is read. */
const GONE_GRACE_MS = 1000;

/**
 * Runs one call program: turns its operations into commands, and the call's events into their results.
 *
 * Every operation passes `#operation`: it has a number there, a place in the trace, and ends at the latest with the call.
 */
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
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #ended = new AbortController();
  #progress: CallProgress = {};
  #endedBy: CallOutcome['endedBy'] = 'caller';
  #operations = 0;
  #playbacks = 0;

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
    this.signal = this.#ended.signal;
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
    if (this.#progress.endedAt !== undefined) this.#ended.abort(new CallEndedError());
  }

  /** This worker may not act for the call any more. */
  abandon(why: string): void {
    this.#ended.abort(new CallTakenOverError(why));
  }

  /** Sends the call back to the dialplan, which reads why in CALLFLEET_STATUS: no caller is left in silence. */
  async giveBack(status: 'PROGRAM_FAILED' | 'WORKER_STOPPED'): Promise<void> {
    if (this.signal.aborted) return;
    try {
      await this.setVariable('CALLFLEET_STATUS', status);
      await this.continueInDialplan();
    } catch {
      if (!this.signal.aborted) await this.hangup('congestion').catch(() => {});
    }
  }

  /** Runs the program to its end, ends the call if it is still there, and removes everything made for it. */
  async run(program: CallProgram): Promise<CallOutcome> {
    let error: CallOutcome['error'];
    try {
      await program.run(this);
      if (!this.signal.aborted) await this.hangup();
    } catch (cause) {
      if (!(cause instanceof CallEndedError)) {
        error = describe(cause);
        await this.giveBack('PROGRAM_FAILED');
      }
    }
    await this.#cleanUp();
    return {
      ...this.#progress,
      endedBy: error ? 'error' : this.#endedBy,
      ...(error && { error }),
      digits: this.#digits.pressed,
    };
  }

  answer(): Promise<void> {
    return this.#operation('answer', async (operation) => {
      await operation.commandOk(channels.answer({ channelId: this.#channelId }));
    });
  }

  play(media: Media | readonly Media[], options: PlayOptions = {}): Promise<void> {
    return this.#operation('play', (operation) => this.#play(operation, media, options.interruptible ?? true));
  }

  gather(options: GatherOptions = {}): Promise<Gathered> {
    return this.#operation('gather', async (operation) => {
      if (options.prompt !== undefined) await this.#play(operation, options.prompt, true);
      return gatherDigits(this.#digits, this.#host.clock, options, this.signal);
    });
  }

  connect(provider: string, options: Readonly<Record<string, unknown>> = {}): Promise<Conversation> {
    const leg = new MediaLeg({
      host: this.#host,
      waiters: this.#waiters,
      call: this.id,
      channelId: this.#channelId,
      n: this.#legs.length + 1,
      provider,
      providerOptions: options,
    });
    this.#legs.push(leg);
    return this.#operation('connect', async (operation) => {
      try {
        await leg.open(operation, this.signal);
      } catch (error) {
        await leg.close(operation, 'connect failed');
        throw error;
      }
      return {
        provider,
        ended: () => this.#operation('conversation.ended', () => abortable(leg.ended, this.signal)),
        close: () => this.#operation('conversation.close', (closing) => leg.close(closing, 'closed by the program')),
      };
    });
  }

  setVariable(name: string, value: string): Promise<void> {
    return this.#operation('setVariable', async (operation) => {
      await operation.commandOk(channels.setChannelVar({ channelId: this.#channelId, variable: name, value }));
    });
  }

  getVariable(name: string): Promise<string | undefined> {
    return this.#operation('getVariable', async (operation) => {
      const response = await operation.command(channels.getChannelVar({ channelId: this.#channelId, variable: name }));
      if (response.status === 404 && !(await this.#endsSoon())) return undefined;
      if (response.status >= 400) throw new PbxRefusedError('getVariable', response.status, response.reason);
      return response.body.value;
    });
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#operation('sleep', () => this.#pause(milliseconds, this.signal));
  }

  step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return this.#operation(`step ${name}`, async () => work(), 'nothing');
  }

  now(): Promise<number> {
    return this.#operation('now', async () => this.#host.clock.now(), 'nothing');
  }

  random(): Promise<number> {
    return this.#operation('random', async () => Math.random(), 'nothing');
  }

  hangup(reason: HangupReason = 'normal'): Promise<void> {
    return this.#end('hangup', 'program', channels.hangup({ channelId: this.#channelId, reason }));
  }

  continueInDialplan(target: DialplanTarget = {}): Promise<void> {
    const request = channels.continueInDialplan({ channelId: this.#channelId, ...target });
    return this.#end('continueInDialplan', 'dialplan', request);
  }

  /** Sends what ends the call, and waits until it has. Ending a call that is over changes nothing. */
  #end(name: string, by: CallOutcome['endedBy'], request: AriRequest<void>): Promise<void> {
    if (this.signal.reason instanceof CallEndedError) return Promise.resolve();
    const work = async (operation: Operation) => {
      this.#endedBy = by;
      const response = await operation.command(request);
      const over = await this.#endsSoon(response.status < 400 ? END_LIMIT_MS : GONE_GRACE_MS);
      if (response.status >= 400 && !over) throw new PbxRefusedError(name, response.status, response.reason);
    };
    return this.#operation(name, work, 'nothing');
  }

  async #play(operation: Operation, media: Media | readonly Media[], interruptible: boolean): Promise<void> {
    if (interruptible && !this.#digits.isEmpty) return;
    const list = typeof media === 'string' ? [media] : [...media];
    this.#playbacks += 1;
    const playbackId = resourceId(this.id, 'playback', this.#playbacks);
    const finished = this.#waiters.next(
      (event) =>
        event.type === 'ari.PlaybackFinished' &&
        (event.data as { playback?: { id?: string } }).playback?.id === playbackId,
      this.signal,
    );
    finished.catch(() => {});
    await operation.commandOk(channels.playWithId({ channelId: this.#channelId, playbackId, media: list }));
    const stopListening = interruptible
      ? this.#digits.onPress(() => void operation.command(playbacks.stop({ playbackId })).catch(() => {}))
      : () => {};
    try {
      const event = await finished;
      if ((event.data as { playback?: { state?: string } }).playback?.state === 'failed')
        throw new PlaybackFailedError(list.join(', '));
    } finally {
      stopListening();
    }
  }

  /**
   * The one way of every operation. One that needs the call rejects when the call ends, even if its work is still under
   * way; one that does not (`step`, or what ends the call itself) goes on.
   */
  #operation<T>(name: string, work: (operation: Operation) => Promise<T>, needs: 'call' | 'nothing' = 'call') {
    if (this.signal.aborted && (needs === 'call' || this.signal.reason instanceof CallTakenOverError))
      return Promise.reject<T>(this.signal.reason);
    this.#operations += 1;
    const operation = new Operation(this.#host, name, this.#operations);
    const done = this.#host.operation(name, operation.number, () => work(operation));
    this.#inFlight.add(done);
    const settled = () => this.#inFlight.delete(done);
    done.then(settled, settled);
    return needs === 'call' ? this.#untilEnd(done) : done;
  }

  async #untilEnd<T>(done: Promise<T>): Promise<T> {
    try {
      return await abortable(done, this.signal);
    } catch (error) {
      // The channel was gone before its last event was read: the program is told what really happened.
      if (error instanceof PbxRefusedError && GONE_STATUS.has(error.status) && (await this.#endsSoon()))
        throw this.signal.reason;
      throw error;
    }
  }

  async #endsSoon(limitMs = GONE_GRACE_MS): Promise<boolean> {
    await this.#pause(limitMs, this.signal).catch(() => {});
    return this.signal.aborted;
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#host.clock.after(milliseconds, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  async #causeKnown(): Promise<void> {
    if (!this.#progress.hangingUp || this.#progress.cause) return;
    const limit = new AbortController();
    const cancel = this.#host.clock.after(CAUSE_LIMIT_MS, () => limit.abort());
    await this.#waiters.next(() => this.#progress.cause !== undefined, limit.signal).catch(() => {});
    cancel();
  }

  async #cleanUp(): Promise<void> {
    // What is still being made must be there, or have failed, before it can be removed.
    await Promise.allSettled(this.#inFlight);
    if (this.signal.reason instanceof CallTakenOverError) return;
    this.#operations += 1;
    const operation = new Operation(this.#host, 'end', this.#operations);
    await this.#host.operation('end', operation.number, async () => {
      await Promise.allSettled(this.#legs.map((leg) => leg.close(operation, 'the call ended')));
      await this.#causeKnown();
    });
  }
}

/** The cause comes a moment after the end, milliseconds. */
const CAUSE_LIMIT_MS = 500;

/** What Asterisk answers for a channel that is gone, or is leaving Stasis. */
const GONE_STATUS = new Set([404, 409, 412]);

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  return { code: 'CF_PROGRAM_FAILED', message: error instanceof Error ? error.message : String(error) };
}

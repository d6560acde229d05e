import type { AriRequest } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import type { Call } from '../call.ts';
import { type CallProgram, defineCall } from '../define-call.ts';
import type { CallHost, OpenMediaSession, PbxAnswer } from './call-host.ts';
import { type CallOutcome, CallRuntime } from './call-runtime.ts';

const CHANNEL = '1763701200.12';

type Answer = { status: number; reason?: string; body?: unknown };

/** A call on a PBX that is a script: its commands are written down, its events and its time are told by the test. */
export class ScriptedCall {
  readonly commands: string[] = [];
  readonly runtime: CallRuntime;
  /** What relays are asked, in order. */
  readonly media: string[] = [];
  /** What the PBX answers, by `METHOD route`; 204 where nothing is set. May tell events first. */
  readonly answers: Record<string, (request: AriRequest<unknown>) => Answer | Promise<Answer>> = {};
  #seq = 0;
  #now = 0;
  #timers: Array<{ at: number; action: () => void }> = [];

  constructor(options: { openMedia?: () => Promise<OpenMediaSession> } = {}) {
    const host: CallHost = {
      app: 'callfleet-1',
      connectTimeoutMs: 8000,
      clock: {
        now: () => this.#now,
        after: (milliseconds, action) => {
          const timer = { at: this.#now + milliseconds, action };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
      },
      command: <T>(_id: string, request: AriRequest<T>) => this.#command(request) as Promise<PbxAnswer<T>>,
      openMedia: (session, provider) => {
        this.media.push(`open ${session} ${provider}`);
        return (options.openMedia ?? (() => Promise.resolve(this.#mediaSession())))();
      },
      operation: (_name, _number, work) => work(),
    };
    this.runtime = new CallRuntime(
      {
        id: callIdOf('pbx-a', CHANNEL),
        pbx: 'pbx-a',
        direction: 'inbound',
        caller: { number: '1001', name: '' },
        called: { number: '100', context: 'default' },
        args: [],
        variables: {},
      },
      host,
    );
    this.answers['DELETE /channels/{channelId}'] = ({ path }) => {
      if (path === `channels/${CHANNEL}`) this.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause: 16 });
      return { status: 204 };
    };
  }

  run(program: (call: Call) => Promise<void>): Promise<CallOutcome> {
    const defined: CallProgram = defineCall(program);
    return this.runtime.run(defined);
  }

  /** An ARI event of the call; of its own channel unless told otherwise. */
  tell(type: string, data: Record<string, unknown> = { channel: { id: CHANNEL } }): void {
    this.#seq += 1;
    const event: CallEvent = {
      id: String(this.#seq),
      call: this.runtime.id,
      source: 'gateway-1',
      seq: this.#seq,
      at: new Date(this.#now).toISOString(),
      type: type.startsWith('media.') ? type : `ari.${type}`,
      data: { type, ...data },
    };
    this.runtime.deliver(event);
  }

  press(digits: string): void {
    for (const digit of digits) this.tell('ChannelDtmfReceived', { channel: { id: CHANNEL }, digit });
  }

  callerHangsUp(): void {
    this.tell('ChannelHangupRequest', { channel: { id: CHANNEL }, cause: 16 });
    this.tell('StasisEnd');
    this.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause: 16, cause_txt: 'Normal Clearing' });
  }

  /** Lets what is ready happen, then moves the clock, firing timers in their order. */
  async advance(milliseconds: number): Promise<void> {
    await settle();
    const until = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.action();
      await settle();
    }
    this.#now = until;
  }

  async #command(request: AriRequest<unknown>): Promise<PbxAnswer<unknown>> {
    this.commands.push(`${request.method} ${decodeURIComponent(request.path)}`);
    const answer = await (this.answers[`${request.method} ${request.route}`]?.(request) ?? { status: 204 });
    return { status: answer.status, reason: answer.reason ?? '', body: answer.body };
  }

  #mediaSession(): OpenMediaSession {
    return {
      leg: {
        external_host: '127.0.0.1:20000',
        encapsulation: 'rtp',
        transport: 'udp',
        connection_type: 'client',
        format: 'ulaw',
      },
      attach: async (variables) => void this.media.push(`attach ${JSON.stringify(variables)}`),
      close: async (reason) => void this.media.push(`close ${reason}`),
    };
  }
}

/** Enough turns of the event loop for every promise that is ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

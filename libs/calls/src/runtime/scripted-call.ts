import type { AriRequest } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import type { Call } from '../call.ts';
import { type CallProgram, defineCall } from '../define-call.ts';
import type { CallHost, OpenMediaSession, PbxAnswer } from './call-host.ts';
import { type CallOutcome, CallRuntime } from './call-runtime.ts';
import type { JournalEntry } from './journal.ts';

const CHANNEL = '1763701200.12';

type Answer = { status: number; reason?: string; body?: unknown };

/** One worker's life with the call. What it does after its death never happens. */
interface Owner {
  readonly runtime: CallRuntime;
  readonly outcome: PromiseWithResolvers<CallOutcome>;
  alive: boolean;
}

/**
 * A call on a PBX that is a script: its commands are written down, its events and its time are told by the test. Its owner
 * can be killed at any step, and another takes over: with the same journal, events, and memory of commands.
 */
export class ScriptedCall {
  /** What the PBX carried out; a repeat is answered from memory, as the gateway does. */
  readonly commands: string[] = [];
  readonly journal: JournalEntry[] = [];
  /** The owner dies at this step: steps are commands, requests to relays, and what is written to the journal. */
  killAtStep = Number.POSITIVE_INFINITY;
  steps = 0;
  /** What relays are asked, in order. */
  readonly media: string[] = [];
  /** What the PBX answers, by `METHOD route`; 204 where nothing is set. May tell events first. */
  readonly answers: Record<string, (request: AriRequest<unknown>) => Answer | Promise<Answer>> = {};
  readonly #openMedia: () => Promise<OpenMediaSession>;
  readonly #remembered = new Map<string, Promise<PbxAnswer<unknown>>>();
  readonly #past: CallEvent[] = [];
  #owner: Owner | undefined;
  #program: CallProgram | undefined;
  #epoch = 0;
  #seq = 0;
  #now = 0;
  #timers: Array<{ at: number; action: () => void }> = [];

  constructor(options: { openMedia?: () => Promise<OpenMediaSession> } = {}) {
    this.#openMedia = options.openMedia ?? (() => Promise.resolve(this.#mediaSession()));
    this.answers['DELETE /channels/{channelId}'] = ({ path }) => {
      if (path === `channels/${CHANNEL}`) this.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause: 16 });
      return { status: 204 };
    };
  }

  /** The call's runtime in the hands of its present owner. */
  get runtime(): CallRuntime {
    this.#owner ??= this.#newOwner();
    return this.#owner.runtime;
  }

  /** @returns the outcome, whoever has the call at its end */
  run(program: (call: Call) => Promise<void>): Promise<CallOutcome> {
    this.#program = defineCall(program);
    this.#owner ??= this.#newOwner();
    return this.#start(this.#owner);
  }

  /** The owner is dead, if it was not yet; another takes the call over. */
  takeOver(): void {
    const dead = this.#owner;
    if (!dead) throw new Error('nobody has the call');
    dead.alive = false;
    this.journal.push({ kind: 'taken', worker: 'next', epoch: this.#epoch + 1 });
    this.#owner = this.#newOwner();
    for (const event of this.#past) this.#owner.runtime.deliver(event);
    dead.outcome.resolve(this.#start(this.#owner));
  }

  get isOwnerAlive(): boolean {
    return this.#owner?.alive ?? false;
  }

  async #start(owner: Owner): Promise<CallOutcome> {
    const outcome = await Promise.race([owner.outcome.promise, owner.runtime.run(this.#program as CallProgram)]);
    // A dead owner's end is the end that its successor sees.
    return owner.alive && outcome ? outcome : owner.outcome.promise;
  }

  #newOwner(): Owner {
    this.#epoch += 1;
    const owner = { alive: true, outcome: Promise.withResolvers<CallOutcome>() } as Owner & { runtime: CallRuntime };
    const host: CallHost = {
      app: 'callfleet-1',
      connectTimeoutMs: 8000,
      maxCallMs: 4 * 3_600_000,
      maxAfterCallMs: 60_000,
      epoch: this.#epoch,
      clock: {
        now: () => this.#now,
        after: (milliseconds, action) => {
          const timer = { at: this.#now + milliseconds, action: () => owner.alive && action() };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
      },
      journal: {
        before: [...this.journal],
        append: (entry) => this.#step(owner, async () => void this.journal.push(structuredClone(entry))),
      },
      command: <T>(id: string, request: AriRequest<T>) =>
        this.#step(owner, () => this.#command(id, request) as Promise<PbxAnswer<T>>),
      openMedia: (session, provider) =>
        this.#step(owner, () => {
          this.media.push(`open ${session} ${provider}`);
          return this.#openMedia();
        }),
      knownMedia: (session, relay) => ({
        relay,
        toolResult: (id, result) => this.#step(owner, async () => void this.media.push(`result ${id} ${result}`)),
        close: (reason) => this.#step(owner, async () => void this.media.push(`close ${session} ${reason}`)),
      }),
      operation: (_name, _number, work) => work(),
    };
    owner.runtime = new CallRuntime(
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
    return owner;
  }

  /** Something that leaves the owner, and comes back. It may die before, or before it hears of the answer. */
  async #step<T>(owner: Owner, action: () => Promise<T>): Promise<T> {
    const never = new Promise<T>(() => {});
    if (!this.#survives(owner)) return never;
    const result = await action();
    return this.#survives(owner) ? result : never;
  }

  #survives(owner: Owner): boolean {
    if (owner.alive) {
      this.steps += 1;
      owner.alive = this.steps !== this.killAtStep;
    }
    return owner.alive;
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
    this.#past.push(event);
    if (this.#owner?.alive !== false) this.runtime.deliver(event);
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

  #command(id: string, request: AriRequest<unknown>): Promise<PbxAnswer<unknown>> {
    const known = this.#remembered.get(id);
    if (known) return known;
    const answer = this.#carryOut(request);
    this.#remembered.set(id, answer);
    return answer;
  }

  async #carryOut(request: AriRequest<unknown>): Promise<PbxAnswer<unknown>> {
    this.commands.push(`${request.method} ${decodeURIComponent(request.path)}`);
    const answer = await (this.answers[`${request.method} ${request.route}`]?.(request) ?? { status: 204 });
    return { status: answer.status, reason: answer.reason ?? '', body: answer.body };
  }

  #mediaSession(): OpenMediaSession {
    return {
      relay: 'relay-1',
      leg: {
        external_host: '127.0.0.1:20000',
        encapsulation: 'rtp',
        transport: 'udp',
        connection_type: 'client',
        format: 'ulaw',
      },
      attach: async (variables) => void this.media.push(`attach ${JSON.stringify(variables)}`),
      toolResult: async (id, result) => void this.media.push(`result ${id} ${result}`),
      close: async (reason) => void this.media.push(`close ${reason}`),
    };
  }
}

/** Enough turns of the event loop for every promise that is ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

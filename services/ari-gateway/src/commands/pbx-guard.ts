import { type AriRequest, type AriRequester, type AriRequestOptions, type AriResponse, asterisk } from '@callfleet/ari';
import type { Config, PbxConfig } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import { type Span, trace } from '@opentelemetry/api';
import type { LoopLateness } from '../async/loop-lateness.ts';
import { type CommandClass, classOf, commandClasses, withdrawnBy } from '../names/command-class.ts';
import { countOpening } from '../telemetry/metrics.ts';
import { isFailure, isTimeout, outcomeOf } from './command-outcome.ts';
import { CommandQueue } from './command-queue.ts';
import { CommandRefusedError } from './command-refused-error.ts';
import { PbxBreaker } from './pbx-breaker.ts';
import { TokenBucket } from './token-bucket.ts';

export interface PbxGuardOptions {
  readonly pbx: string;
  readonly limits: PbxConfig['limits'];
  readonly breaker: Config['gateway']['breaker'];
  /** Time limit of a command, its wait included; milliseconds. */
  readonly timeoutMs: number;
  /**
   * The way of the pings. Not a shard's socket, whose requests Asterisk executes one after another: behind a slow one a PBX
   * that is well would seem dead.
   */
  readonly health: AriRequester;
  /** Our own: a time-out is not the PBX's fault while it is late. */
  readonly loop: Pick<LoopLateness, 'since'>;
  /** A class of commands is not sent any more, or is again. */
  readonly onBreaker?: (commandClass: CommandClass, state: 'open' | 'closed') => void;
  readonly log: Logger;
}

/** A requester that may let a request wait before it sends it. */
export interface GuardedRequester {
  /** @param options `beforeSend` is called when its turn has come; what it throws is thrown, and nothing is sent */
  request<T>(
    request: AriRequest<T>,
    options?: AriRequestOptions & { readonly beforeSend?: (() => void) | undefined },
  ): Promise<AriResponse<T>>;
}

interface Asked {
  readonly request: AriRequest<unknown>;
  readonly commandClass: CommandClass;
}

/** A command that takes longer makes us ask whether the PBX still answers, milliseconds. */
const SLOW_MS = 1000;
/** A PBX that is well answers a ping in this time, even in a storm of calls; milliseconds. */
const PING_MS = 500;

/** All commands of this gateway to one PBX, over all its shards, pass here: no more than it can take, and none while it is down. */
export class PbxGuard {
  readonly pbx: string;
  readonly #options: PbxGuardOptions;
  /** With places of its own, so that hang-ups and answers get through when the others are taken. */
  readonly #control: CommandQueue<Asked>;
  readonly #others: CommandQueue<Asked>;
  readonly #breakers: Readonly<Record<CommandClass, PbxBreaker>>;
  readonly #slowMs: number;
  /** Spans of the commands that are at the PBX: they are told what becomes of the breaker meanwhile. */
  readonly #underWay = new Set<Span>();
  #answers: Promise<boolean> | undefined;

  constructor(options: PbxGuardOptions) {
    const { pbx, limits, timeoutMs } = options;
    this.pbx = pbx;
    this.#options = options;
    this.#slowMs = Math.min(SLOW_MS, timeoutMs / 2);
    const now = () => performance.now();
    const bounds = { concurrent: limits.concurrentCommands, queued: limits.queuedCommands };
    this.#control = new CommandQueue(bounds, now);
    this.#others = new CommandQueue({ ...bounds, rate: new TokenBucket(limits.commandsPerSecond, now) }, now);
    this.#breakers = Object.fromEntries(
      commandClasses.map((commandClass) => [commandClass, this.#breakerOf(commandClass)]),
    ) as Record<CommandClass, PbxBreaker>;
  }

  /** Commands that wait for their turn. */
  get waiting(): number {
    return this.#control.waiting + this.#others.waiting;
  }

  get openBreakers(): CommandClass[] {
    return commandClasses.filter((commandClass) => this.isOpen(commandClass));
  }

  isOpen(commandClass: CommandClass): boolean {
    return this.#breakers[commandClass].isOpen;
  }

  /** @returns a requester that sends over `way` what may be sent, and throws CommandRefusedError for the rest */
  over(way: AriRequester): GuardedRequester {
    return { request: (request, options) => this.#request(way, request, options) };
  }

  close(): void {
    for (const breaker of Object.values(this.#breakers)) breaker.close();
    const error = new CommandRefusedError('CF_PBX_BUSY', 'the gateway lets go of this PBX');
    for (const queue of [this.#control, this.#others]) queue.refuse(() => true, error);
  }

  async #request<T>(
    way: AriRequester,
    request: AriRequest<T>,
    { timeoutMs = this.#options.timeoutMs, signal, beforeSend }: Parameters<GuardedRequester['request']>[1] = {},
  ): Promise<AriResponse<T>> {
    const commandClass = classOf(request);
    if (this.isOpen(commandClass)) throw this.#brokenOff(commandClass);
    if (commandClass === 'control') this.#withdraw(request);
    const queue = commandClass === 'control' ? this.#control : this.#others;
    return queue.run({ request, commandClass }, timeoutMs, (leftMs) => {
      beforeSend?.();
      return this.#send(commandClass, () => way.request(request, { timeoutMs: leftMs, signal }));
    });
  }

  #withdraw(control: AriRequest<unknown>): void {
    if (this.#others.waiting === 0) return;
    const isWithdrawn = withdrawnBy(control);
    if (!isWithdrawn) return;
    const error = new CommandRefusedError('CF_PBX_BUSY', 'what it was for was ended while it waited for its turn');
    this.#others.refuse(({ request }) => isWithdrawn(request), error);
  }

  async #send<T>(commandClass: CommandClass, send: () => Promise<AriResponse<T>>): Promise<AriResponse<T>> {
    let isUnderWay = true;
    const span = trace.getActiveSpan();
    if (span) this.#underWay.add(span);
    const slow = setInterval(() => void this.#openUnlessAnswers(commandClass, () => isUnderWay), this.#slowMs);
    try {
      return await this.#breakers[commandClass].through(send);
    } finally {
      isUnderWay = false;
      if (span) this.#underWay.delete(span);
      clearInterval(slow);
    }
  }

  /** A PBX that hangs answers nothing: to wait for time-outs would take many times as long. */
  async #openUnlessAnswers(commandClass: CommandClass, isStillDoubted: () => boolean): Promise<void> {
    if (this.isOpen(commandClass)) return;
    const wasLate = this.#options.loop.since();
    this.#answers ??= outcomeOf(this.#ping())
      .then((outcome) => !isFailure(outcome, 'read') || (isTimeout(outcome) && wasLate()))
      .finally(() => {
        this.#answers = undefined;
      });
    const answers = await this.#answers;
    if (!answers && isStillDoubted()) this.#breakers[commandClass].open();
  }

  #ping(): Promise<AriResponse<unknown>> {
    return this.#options.health.request(asterisk.ping(), { timeoutMs: PING_MS });
  }

  #breakerOf(commandClass: CommandClass): PbxBreaker {
    const { pbx, breaker: settings, loop, log } = this.#options;
    return new PbxBreaker({
      settings,
      commandClass,
      loop,
      ping: () => this.#ping(),
      onFailure: () => void this.#openUnlessAnswers(commandClass, () => true),
      onOpened: () => {
        countOpening(pbx, commandClass);
        log.error({ pbx, class: commandClass }, 'breaker.opened');
        this.#noteBreaker('breaker.opened', commandClass);
        this.#others.refuse((waiting) => waiting.commandClass === commandClass, this.#brokenOff(commandClass));
        this.#control.refuse((waiting) => waiting.commandClass === commandClass, this.#brokenOff(commandClass));
        this.#options.onBreaker?.(commandClass, 'open');
      },
      onClosed: () => {
        log.info({ pbx, class: commandClass }, 'breaker.closed');
        this.#noteBreaker('breaker.closed', commandClass);
        this.#options.onBreaker?.(commandClass, 'closed');
      },
    });
  }

  #noteBreaker(event: string, commandClass: CommandClass): void {
    const attributes = { 'callfleet.pbx': this.pbx, 'callfleet.command_class': commandClass };
    for (const span of this.#underWay) span.addEvent(event, attributes);
  }

  #brokenOff(commandClass: CommandClass): CommandRefusedError {
    return new CommandRefusedError(
      'CF_BREAKER_OPEN',
      `${this.pbx} fails ${commandClass} commands; it is asked again every moment`,
    );
  }
}

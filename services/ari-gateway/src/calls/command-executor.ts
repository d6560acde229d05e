import { AriBusyError, AriClosedError, AriError, type AriRequest, channels } from '@callfleet/ari';
import type { Command, CommandRefusal, CommandReply, ProgramVersion } from '@callfleet/bus';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { type Context, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { CommandRefusedError } from '../commands/command-refused-error.ts';
import type { GuardedRequester } from '../commands/pbx-guard.ts';
import { classOf } from '../names/command-class.ts';
import { isNotSent, measureCommand, repeatedCommands } from '../telemetry/metrics.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';
import type { TrunkPlaces } from './trunk-places.ts';

export interface CommandExecutorOptions {
  readonly pbx: string;
  readonly shard: string;
  readonly calls: LiveCalls;
  /** Of the trunks that legs are dialled through. */
  readonly places: Pick<TrunkPlaces, 'counted'>;
  readonly ari: GuardedRequester;
  readonly timeoutMs: number;
  /** The call has its worker, and its program where that is told. */
  readonly onClaimed: (call: LiveCall, worker: string, program: ProgramVersion | undefined, trace: Context) => void;
  /** Its worker has nothing left to do for it. */
  readonly onDone: (call: LiveCall) => void;
  /** Its worker stops, and another shall have it. */
  readonly onReleased: (call: LiveCall) => void;
  readonly log: Logger;
}

const LEG_EXISTS = { ok: true, status: 409, reason: 'a channel with this id exists' } as const;
const OK = { ok: true, status: 200, reason: 'OK' } as const;

/** Executes workers' commands on the PBX: each at most once, and none of a worker that has lost its call. */
export class CommandExecutor {
  readonly #options: CommandExecutorOptions;
  /** The highest epoch that a command was asked for under, by its reply: it may be asked for again before its turn comes. */
  readonly #askedUnder = new WeakMap<Promise<CommandReply>, { epoch: number }>();
  #fenced = 0;

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
  }

  /** Commands refused since their worker had lost the call, from the start of this shard's link. */
  get fenced(): number {
    return this.#fenced;
  }

  async execute(command: Command, trace: Context): Promise<CommandReply> {
    const call = this.#options.calls.get(command.call);
    if (call.released) return releasedReply(call);
    if (command.epoch < call.epoch || isRival(command, call)) return this.#fence(call, command.epoch);
    call.epoch = command.epoch;
    switch (command.kind) {
      case 'claim':
        this.#options.onClaimed(call, command.worker, command.program, trace);
        return OK;
      case 'done':
        this.#options.onDone(call);
        return OK;
      case 'release':
        this.#options.onReleased(call);
        return OK;
    }

    if (isForNobody(call, command.request as AriRequest<unknown>)) return cancelledReply(call);
    const known = call.replyTo(command.id);
    if (known) {
      repeatedCommands.add(1);
      const asked = this.#askedUnder.get(known);
      if (asked) asked.epoch = command.epoch;
      return known;
    }
    const asked = { epoch: command.epoch };
    const request = command.request as AriRequest<unknown>;
    const beforeSend = () => {
      this.#refuseIfLost(call, asked.epoch);
      if (isForNobody(call, request)) throw new CommandRefusedError('CF_CALL_CANCELLED', cancelledReply(call).message);
    };
    const send = () => this.#request(call, command.id, request, trace, beforeSend);
    const reply = measureCommand(request, this.#options.places.counted(call, request, send));
    this.#askedUnder.set(reply, asked);
    call.remember(command.id, reply);
    const answered = await reply;
    const isLost = !answered.ok && answered.code === 'CF_PBX_CONNECTION_LOST';
    if (isLost) call.unanswered.add(command.id);
    // A repeat may be sent.
    if (isLost || isNotSent(answered)) call.forget(command.id);
    return answered;
  }

  /** While a command waits for its turn at the PBX, its worker may lose the call. */
  #refuseIfLost(call: LiveCall, epoch: number): void {
    const isLost = epoch < call.epoch;
    const refusal = call.released ? releasedReply(call) : isLost ? this.#fence(call, epoch) : undefined;
    if (refusal) throw new CommandRefusedError(refusal.code, refusal.message);
  }

  #fence(call: LiveCall, epoch: number): Refusal<'CF_COMMAND_FENCED'> {
    this.#fenced += 1;
    this.#options.log.warn({ call: call.id, epoch, highest: call.epoch }, 'command.fenced');
    const message = `epoch ${epoch} is not ahead of ${call.epoch}: another worker has ${call.id}`;
    return { ok: false, code: 'CF_COMMAND_FENCED', message };
  }

  /**
   * Asterisk 22.10.1 crashes when a WebSocket leg is made under an id that is in use. A gateway that has had the call from
   * its start knows what it has made, where it had an answer; one that took the shard over asks first.
   */
  async #wouldRepeatLeg(call: LiveCall, id: string, { route, query }: AriRequest<unknown>): Promise<boolean> {
    if (route !== '/channels/externalMedia' || query.channelId === undefined) return false;
    if (call.offer !== undefined && !call.unanswered.has(id)) return false;
    const { ari, timeoutMs } = this.#options;
    const response = await ari.request(channels.get({ channelId: query.channelId }), { timeoutMs });
    return response.status !== 404;
  }

  #request(
    call: LiveCall,
    id: string,
    request: AriRequest<unknown>,
    trace: Context,
    beforeSend: () => void,
  ): Promise<CommandReply> {
    const { ari, pbx, shard, timeoutMs, log } = this.#options;
    const attributes = {
      'callfleet.call': call.id,
      'callfleet.pbx': pbx,
      'callfleet.shard': shard,
      'http.request.method': request.method,
      'http.route': request.route,
    };
    return inSpan(
      `ari ${request.method} ${request.route}`,
      { kind: SpanKind.CLIENT, attributes, parent: trace },
      async (span): Promise<CommandReply> => {
        const refuse = (code: CommandRefusal, message: string): CommandReply => {
          span.setAttribute('error.type', code);
          span.setStatus({ code: SpanStatusCode.ERROR, message });
          return { ok: false, code, message };
        };
        try {
          if (await this.#wouldRepeatLeg(call, id, request)) return LEG_EXISTS;
          const response = await ari.request(request, { timeoutMs, beforeSend });
          const { status, body } = response;
          span.setAttribute('http.response.status_code', status);
          log.debug({ call: call.id, method: request.method, route: request.route, status }, 'command.executed');
          return { ok: true, status, reason: response.ok ? response.reason : response.refusal, body };
        } catch (error) {
          if (error instanceof CommandRefusedError) return refuse(error.code, error.message);
          if (error instanceof AriBusyError) return refuse('CF_PBX_BUSY', error.message);
          if (!(error instanceof AriError)) throw error;
          log.warn({ call: call.id, route: request.route, err: error }, 'command.no-answer');
          return refuse(error instanceof AriClosedError ? 'CF_PBX_CONNECTION_LOST' : 'CF_PBX_NO_ANSWER', error.message);
        }
      },
    );
  }
}

interface Refusal<Code extends CommandRefusal> {
  readonly ok: false;
  readonly code: Code;
  readonly message: string;
}

function releasedReply(call: LiveCall): Refusal<'CF_CALL_RELEASED'> {
  return { ok: false, code: 'CF_CALL_RELEASED', message: `${call.id} was given back to the dialplan` };
}

/** Nobody is dialled for a call that was cancelled. */
function isForNobody(call: LiveCall, request: AriRequest<unknown>): boolean {
  return call.isCancelled && classOf(request) === 'originate';
}

function cancelledReply(call: LiveCall): Refusal<'CF_CALL_CANCELLED'> {
  return { ok: false, code: 'CF_CALL_CANCELLED', message: `${call.id} was cancelled by who had it placed` };
}

/** Two workers can get the same epoch when Redis comes back empty before a claim is here: the first to claim has the call. */
function isRival(command: Command, call: LiveCall): boolean {
  if (command.kind !== 'claim' || command.epoch !== call.epoch) return false;
  return call.worker !== undefined && call.worker !== command.worker;
}

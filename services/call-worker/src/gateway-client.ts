import { setTimeout as wait } from 'node:timers/promises';
import type { AriRequest } from '@callfleet/ari';
import {
  askAgain,
  type Bus,
  BusError,
  type CallEvent,
  type Command,
  type CommandReply,
  commandReplySchema,
  type ProgramVersion,
  subjects,
} from '@callfleet/bus';
import {
  BreakerOpenError,
  CallCancelledError,
  CallTakenOverError,
  PbxBusyError,
  PbxUnreachableError,
  TrunkRefusedError,
} from '@callfleet/calls';
import type { PbxAnswer } from '@callfleet/calls/runtime';
import type { Lease } from '@callfleet/leases';
import { inSpan } from '@callfleet/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { Begun } from './begun.ts';
import type { CallIdentity } from './call-identity.ts';
import { NotCertainError } from './standing.ts';

/** A shard changes hands in moments: a command that nobody took is sent again after this, milliseconds. */
const RETRY_AFTER_MS = 50;

/** What ends something, and was not sent to spare the PBX, is asked for again after this: else it would go on; milliseconds. */
const END_AGAIN_AFTER_MS = 500;

/**
 * A command that has no answer after this may have been in the hands of a gateway that died. What is done once, however often it is asked for, is
 * asked for again: a gateway that lives answers with what became of the first, another has the shard by then; milliseconds.
 */
const ASK_AGAIN_AFTER_MS = 750;

/** The same where it must be known first what the PBX made of it: by then that is told, or there; milliseconds. */
const ASK_SURELY_AFTER_MS = 2000;

/** Waited for right before something is sent. @throws CallTakenOverError, NotCertainError after `withinMs` */
export type MayAct = (withinMs: number) => Promise<void>;

/** One call's way to the gateway that holds its shard. Everything goes out under the lease's epoch. */
export class GatewayClient {
  readonly #bus: Bus;
  readonly #call: CallIdentity;
  readonly #lease: Lease;
  readonly #timeoutMs: number;
  /** CALLFLEET_STATUS, as it was set last: for the dialplan, and for the call record. */
  status: string | undefined;
  readonly #mayAct: MayAct;
  readonly #over: AbortSignal;
  readonly #begun = new Begun();

  /** @param over aborted when the call is not this worker's any more */
  constructor(bus: Bus, call: CallIdentity, lease: Lease, timeoutMs: number, mayAct: MayAct, over: AbortSignal) {
    this.#bus = bus;
    this.#call = call;
    this.#lease = lease;
    this.#timeoutMs = timeoutMs;
    this.#mayAct = mayAct;
    this.#over = over;
  }

  /** The gateway has said that the call is over for all workers. */
  isGivenBack = false;

  /** Told every event of the call, from its start. */
  hear(event: CallEvent): void {
    this.#begun.hear(event);
  }

  /** Tells the gateway that the call has its worker, and its program. @throws CallTakenOverError, PbxUnreachableError */
  async claim(program?: ProgramVersion): Promise<void> {
    const { owner: worker, epoch } = this.#lease;
    await this.#send('claim', { kind: 'claim', call: this.#call.id, epoch, worker, ...(program && { program }) });
  }

  /** Tells the gateway that nothing of the call is left to do. */
  async done(): Promise<void> {
    await this.#send('done', { kind: 'done', call: this.#call.id, epoch: this.#lease.epoch });
  }

  /** Tells the gateway that another worker shall have the call: the one thing said by a worker that has let go of it. */
  async release(): Promise<void> {
    const release = { kind: 'release', call: this.#call.id, epoch: this.#lease.epoch } as const;
    await this.#send('release', release, async () => {}, AbortSignal.timeout(this.#timeoutMs));
  }

  /** @throws CallTakenOverError, PbxUnreachableError, BreakerOpenError, PbxBusyError */
  command<T>(commandId: string, request: AriRequest<T>): Promise<PbxAnswer<T>> {
    const { id: call, pbx, shard } = this.#call;
    const what = `${request.method} ${request.route}`;
    const attributes = { 'callfleet.call': call, 'callfleet.pbx': pbx, 'callfleet.shard': shard };
    return inSpan(`command ${what}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const { method, route, path, query, body } = request;
      const {
        status,
        reason,
        body: answered,
      } = await this.#send(what, {
        kind: 'ari',
        call,
        epoch: this.#lease.epoch,
        id: `${call}#${commandId}`,
        request: { method, route, path, query, body },
      });
      span.setAttribute('http.response.status_code', status);
      if (route === '/channels/{channelId}/variable' && query.variable === 'CALLFLEET_STATUS' && status < 400)
        this.status = query.value;
      // The gateway has it from the same Asterisk that `request` was written for.
      return { status, reason, body: answered as T };
    });
  }

  async #send(
    what: string,
    command: Command,
    mayAct = this.#mayAct,
    signal = this.#over,
  ): Promise<Extract<CommandReply, { ok: true }>> {
    let deadline = Date.now() + this.#timeoutMs;
    let wasLost = false;
    for (;;) {
      try {
        await mayAct(Math.max(1, deadline - Date.now()));
        // The answer was lost with its gateway, or was an earlier worker's.
        if (command.kind === 'ari' && this.#begun.includes(command.request)) return BEGUN;
        const subject = subjects.commands(this.#call.pbx, this.#call.shard);
        const leftMs = Math.max(1, deadline - Date.now());
        const timeoutMs = isDoneOnce(command) ? Math.min(leftMs, askAgainAfterMs(command)) : leftMs;
        const reply = await askAgain(this.#bus, subject, command, { reply: commandReplySchema, timeoutMs, signal });
        if (reply.ok) return reply;
        if (reply.code === 'CF_CALL_RELEASED') this.isGivenBack = true;
        wasLost ||= reply.code === 'CF_PBX_CONNECTION_LOST';
        const afterMs = againAfterMs(command, reply, wasLost);
        if (afterMs === undefined || Date.now() + afterMs >= deadline) throw refusal(what, reply);
        await wait(afterMs);
      } catch (error) {
        if (error instanceof NotCertainError) throw PbxUnreachableError.of(what, error.message, { cause: error });
        if (!(error instanceof BusError)) throw error;
        if (error.code === 'CF_BUS_TIMEOUT' && isDoneOnce(command) && Date.now() < deadline) continue;
        // Nobody took it, so nobody carried it out: it may be sent again.
        // The gateway may be back a moment later than we are: NATS was away, and no time counts then.
        if (!this.#bus.isSettled()) deadline = Date.now() + this.#timeoutMs;
        if (error.code !== 'CF_BUS_NO_RESPONDER' || Date.now() + RETRY_AFTER_MS >= deadline)
          throw PbxUnreachableError.of(what, error.message, { cause: error });
        await wait(RETRY_AFTER_MS);
      }
    }
  }
}

const BEGUN = { ok: true, status: 200, reason: 'OK' } as const;

/**
 * What comes to the same when it is asked for twice (22.10.1): it has an id of ours, or says how something is to be. What is begun and told of in an
 * event is not sent twice, and a media leg is looked for by a gateway that can't know of it. A digit would be sent twice.
 */
const DONE_ONCE: ReadonlySet<string> = new Set([
  'POST /channels/create',
  'POST /channels/externalMedia',
  'POST /channels/{channelId}/answer',
  'POST /channels/{channelId}/continue',
  'POST /channels/{channelId}/dial',
  'POST /channels/{channelId}/moh',
  'POST /channels/{channelId}/mute',
  'POST /channels/{channelId}/play/{playbackId}',
  'POST /channels/{channelId}/record',
  'POST /channels/{channelId}/ring',
  'POST /channels/{channelId}/snoop/{snoopId}',
  'POST /channels/{channelId}/variable',
  'POST /bridges/{bridgeId}',
  'POST /bridges/{bridgeId}/addChannel',
  'POST /bridges/{bridgeId}/play/{playbackId}',
  'POST /bridges/{bridgeId}/removeChannel',
  'POST /recordings/live/{recordingName}/pause',
  'POST /recordings/live/{recordingName}/stop',
]);

function isDoneOnce(command: Command): boolean {
  if (command.kind !== 'ari') return command.kind !== 'release';
  const { method, route } = command.request;
  return method === 'DELETE' || method === 'GET' || DONE_ONCE.has(`${method} ${route}`);
}

/**
 * When a command that was refused so is sent again, milliseconds; undefined: not at all.
 *
 * @param wasLost its connection to the PBX was lost before: that the PBX is spared now will pass
 */
function againAfterMs(
  command: Command,
  { code }: Extract<CommandReply, { ok: false }>,
  wasLost: boolean,
): number | undefined {
  if (code === 'CF_SHARD_NOT_HELD') return RETRY_AFTER_MS;
  if (command.kind !== 'ari') return undefined;
  if (code === 'CF_PBX_CONNECTION_LOST' && isDoneOnce(command))
    return mustBeSure(command) ? ASK_SURELY_AFTER_MS : RETRY_AFTER_MS;
  const wasSpared = code === 'CF_BREAKER_OPEN' || code === 'CF_PBX_BUSY';
  const isWanted = command.request.method === 'DELETE' || (wasLost && isDoneOnce(command));
  return wasSpared && isWanted ? END_AGAIN_AFTER_MS : undefined;
}

function askAgainAfterMs(command: Command): number {
  return mustBeSure(command) ? ASK_SURELY_AFTER_MS : ASK_AGAIN_AFTER_MS;
}

/** Its beginning is told when the shard's new gateway has compared; or Asterisk connects a media leg, which is not there before. */
function mustBeSure(command: Command): boolean {
  if (command.kind !== 'ari') return false;
  const { route, query } = command.request;
  const isLeg = route === '/channels/externalMedia';
  return Begun.tellsOf(command.request) || (isLeg && query.transport !== 'udp' && query.connection_type !== 'server');
}

function refusal(what: string, { code, message }: Extract<CommandReply, { ok: false }>): Error {
  if (code === 'CF_COMMAND_FENCED' || code === 'CF_CALL_RELEASED') return new CallTakenOverError(message);
  if (code === 'CF_BREAKER_OPEN') return BreakerOpenError.of(what, message);
  if (code === 'CF_PBX_BUSY') return PbxBusyError.of(what, message);
  if (code === 'CF_CALL_CANCELLED') return new CallCancelledError(message);
  if (code === 'CF_TRUNK_FULL' || code === 'CF_TRUNK_TOO_FAST' || code === 'CF_TRUNK_NOT_COUNTED')
    return new TrunkRefusedError(code, message);
  return PbxUnreachableError.of(what, `${message} [${code}]`);
}

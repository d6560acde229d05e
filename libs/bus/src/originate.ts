import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type CallId, callIdOf, originatedChannelId } from '@callfleet/identity';
import { byWeight, type WeighedPbx } from './by-weight.ts';
import { cancelCall } from './cancel.ts';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { OriginateError } from './originate-error.ts';
import {
  type OriginateRefusal,
  type OriginateReply,
  type OriginateRequest,
  originateReplySchema,
} from './originate-messages.ts';
import { type OriginateOutcome, originateOutcome } from './originate-outcome.ts';
import { ask } from './request-reply.ts';
import { subjects } from './subjects.ts';

export interface OriginateOptions {
  /** The name of the program that talks to whoever answers. */
  readonly program: string;
  /** An endpoint, `PJSIP/alice`, or a number through a trunk, `trunk-a:+4930123`. */
  readonly to: string;
  /** The PBXs that may place it, `pbxs` of the configuration. One is drawn by weight; the next, if it can not. */
  readonly pbxs: readonly WeighedPbx[];
  /** Who is shown to be calling. */
  readonly callerId?: { readonly number: string; readonly name?: string | undefined } | undefined;
  /** How long it may ring, milliseconds. Default 30,000. */
  readonly ringTimeoutMs?: number | undefined;
  /** Of the channel; the program sees them in `call.variables`. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** A call that a gateway has taken on. */
export interface OriginatedCall {
  readonly id: CallId;
  readonly pbx: string;
  /**
   * Whether it was answered, or why not.
   *
   * @param signal gives up waiting; the call goes on. Rejects with its reason
   */
  outcome(signal?: AbortSignal): Promise<OriginateOutcome>;
  /** See {@link cancelCall}. */
  cancel(): Promise<'cancelled' | 'over'>;
}

const RING_TIMEOUT_MS = 30_000;
/** A gateway answers when Redis has counted the call and NATS has its offer; milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/** A shard changes hands in moments: where nobody had one, PBXs are asked again after this, milliseconds, so often. */
const ASK_AGAIN_AFTER_MS = 100;
const MAX_ROUNDS = 10;

/** What another PBX may do better. */
const PASSED_ON: ReadonlySet<OriginateRefusal> = new Set([
  'CF_SHARD_NOT_HELD',
  'CF_PBX_NOT_HEALTHY',
  'CF_PROGRAM_UNKNOWN',
  'CF_TRUNK_UNKNOWN',
]);

/**
 * Has a call placed, and its program run when it is answered. Resolves when a gateway has taken it on; workers may have begun to
 * dial then.
 *
 * @throws OriginateError
 */
export async function originateCall(bus: Bus, options: OriginateOptions): Promise<OriginatedCall> {
  const { program, to, pbxs, callerId, ringTimeoutMs = RING_TIMEOUT_MS, variables = {} } = options;
  if (bus.awayMs() !== undefined) throw new OriginateError('CF_NATS_AWAY', 'NATS is away: no gateway can be asked');
  const channelId = originatedChannelId(randomUUID());
  const order = byWeight(pbxs, Math.random);
  for (let round = 1; ; round += 1) {
    const refused: Extract<OriginateReply, { ok: false }>[] = [];
    for (const pbx of order) {
      const id = callIdOf(pbx, channelId);
      const request: OriginateRequest = {
        call: id,
        program,
        to,
        ...(callerId && { callerId: { ...callerId } }),
        ringTimeoutMs,
        variables: { ...variables },
      };
      const reply = await askGateway(bus, pbx, request, id);
      if (reply.ok)
        return { id, pbx, outcome: (signal) => originateOutcome(bus, id, signal), cancel: () => cancelCall(bus, id) };
      if (!PASSED_ON.has(reply.code)) throw new OriginateError(reply.code, reply.message);
      refused.push(reply);
    }
    // Whoever is well, and does not know the program or the trunk, says more than one who is not.
    const telling = refused.find(({ code }) => code !== 'CF_SHARD_NOT_HELD' && code !== 'CF_PBX_NOT_HEALTHY');
    if (telling) throw new OriginateError(telling.code, telling.message);
    if (round < MAX_ROUNDS && refused.some(({ code }) => code === 'CF_SHARD_NOT_HELD')) {
      await wait(ASK_AGAIN_AFTER_MS);
      continue;
    }
    const names = order.join(', ') || 'no PBX';
    throw new OriginateError(
      'CF_NO_HEALTHY_PBX',
      `no call can be placed on ${names}: ${refused[0]?.message ?? 'none was named'}`,
    );
  }
}

async function askGateway(bus: Bus, pbx: string, request: OriginateRequest, call: CallId): Promise<OriginateReply> {
  try {
    return await ask(bus, subjects.originate(pbx), request, {
      reply: originateReplySchema,
      timeoutMs: ANSWER_LIMIT_MS,
    });
  } catch (cause) {
    if (cause instanceof BusError && cause.code === 'CF_BUS_NO_RESPONDER')
      return { ok: false, code: 'CF_SHARD_NOT_HELD', message: 'no gateway holds a shard of it' };
    const message = `the gateway of ${pbx} did not say whether it took the call on`;
    throw new OriginateError('CF_ORIGINATE_NO_ANSWER', message, { cause, call });
  }
}

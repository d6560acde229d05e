import {
  answer,
  type Bus,
  isProgramThere,
  type Offer,
  type OriginateReply,
  type OriginateRequest,
  type OutboundDial,
  originateRequestSchema,
  subjects,
} from '@callfleet/bus';
import type { PbxConfig } from '@callfleet/config';
import { type CallId, isOriginatedChannel, partsOfCallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import type { Context } from '@opentelemetry/api';
import { refusedOriginations } from '../telemetry/metrics.ts';
import type { CallOffers } from './call-offers.ts';
import { destinationOf } from './destination.ts';
import type { LiveCalls } from './live-call.ts';
import type { TrunkPlaces } from './trunk-places.ts';

export interface OriginationOptions {
  readonly bus: Bus;
  readonly gateway: string;
  readonly pbx: Pick<PbxConfig, 'name' | 'zone' | 'pool' | 'trunks'>;
  readonly shard: string;
  readonly calls: LiveCalls;
  readonly offers: CallOffers;
  readonly places: TrunkPlaces;
  /** The PBX fails originates. */
  readonly isBroken: () => boolean;
  readonly claimTimeoutMs: number;
  readonly log: Logger;
}

type Refusal = Extract<OriginateReply, { ok: false }>;

/** Takes on calls that are to be placed on a shard: a worker has each before it is dialled, so that no event comes too early. */
export class Origination {
  readonly #options: OriginationOptions;
  #taking: { drain(): Promise<void> } | undefined;

  constructor(options: OriginationOptions) {
    this.#options = options;
  }

  /** While the shard is ours, and its socket stands. Of all shards of the PBX one gets each request. */
  start(): void {
    const { bus, pbx } = this.#options;
    this.#taking ??= answer(
      bus,
      subjects.originate(pbx.name),
      originateRequestSchema,
      async (request, trace) => this.#place(request as OriginateRequest & { call: CallId }, trace),
      ({ message }) => refusal('CF_BUS_BAD_MESSAGE', message),
      'shards',
    );
  }

  /** What NATS has sent already is told so, and goes to another. */
  stop(): void {
    // While NATS is away there is nothing to wait for.
    this.#taking?.drain().catch(() => {});
    this.#taking = undefined;
  }

  async #place(request: OriginateRequest & { call: CallId }, trace: Context): Promise<OriginateReply> {
    const { bus, gateway, pbx, shard, calls, offers, places, isBroken, log } = this.#options;
    if (!this.#taking) return refusal('CF_SHARD_NOT_HELD', `${gateway} has let go of ${shard} of ${pbx.name}`);
    const { call: id, program } = request;
    const parts = partsOfCallId(id);
    if (parts?.pbx !== pbx.name || !isOriginatedChannel(parts.channelId))
      return refusal('CF_BUS_BAD_MESSAGE', `"${id}" is no call that can be placed on ${pbx.name}`);
    if (isBroken()) return refusal('CF_PBX_NOT_HEALTHY', `${pbx.name} fails originates`);
    const destination = destinationOf(request.to, pbx.trunks);
    if ('code' in destination) return refusal(destination.code, destination.message);
    if (!(await isProgramThere(bus, pbx.pool, program)))
      return refusal('CF_PROGRAM_UNKNOWN', `no worker of the pool "${pbx.pool}" has a program "${program}"`);
    const { trunk, endpoint } = destination;
    const refused = trunk && (await places.take(trunk, id));
    if (refused) return refusal(refused.code, refused.message);
    const { callerId, ringTimeoutMs, variables } = request;
    const dial = { program, endpoint, ...(trunk && { trunk: trunk.name }), callerId, ringTimeoutMs, variables };
    const call = calls.get(id);
    call.trace = trace;
    if (trunk) places.hold(call, trunk.name);
    try {
      await offers.offerOutbound(call, this.#offerOf(id, parts.channelId, destination.number, dial));
      return { ok: true, gateway, shard };
    } catch (error) {
      log.error({ call: id, err: error }, 'call.offer-failed');
      return refusal('CF_OFFER_FAILED', 'NATS did not take the offer of the call');
    }
  }

  #offerOf(call: CallId, channelId: string, number: string, dial: OutboundDial): Offer {
    const { gateway, pbx, shard, claimTimeoutMs } = this.#options;
    const now = Date.now();
    return {
      call,
      pbx: pbx.name,
      shard,
      zone: pbx.zone,
      channelId,
      channelName: '',
      channelState: 'Down',
      caller: { number: dial.callerId?.number ?? '', name: dial.callerId?.name ?? '' },
      called: { number, context: '' },
      args: [],
      variables: dial.variables,
      epoch: 0,
      dial,
      gateway,
      enteredAt: new Date(now).toISOString(),
      expiresAt: now + claimTimeoutMs,
    };
  }
}

function refusal(code: Refusal['code'], message: string): Refusal {
  refusedOriginations.count(code);
  return { ok: false, code, message };
}

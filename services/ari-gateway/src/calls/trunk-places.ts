import type { AriRequest } from '@callfleet/ari';
import type { CommandReply } from '@callfleet/bus';
import {
  KEEP_TRUNK_PLACES_EVERY_MS,
  keepTrunkPlaces,
  type LeaseRedis,
  leaveTrunk,
  type TrunkLimits,
  takeTrunkPlace,
} from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { isNotSent } from '../telemetry/metrics.ts';
import { type Trunk, trunkOf } from './destination.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';

export interface TrunkPlacesOptions {
  readonly redis: LeaseRedis;
  readonly calls: LiveCalls;
  /** Of the shard's PBX. */
  readonly trunks: readonly Trunk[];
  /** What is known of a call has changed: the next gateway must know it. */
  readonly keep: (call: LiveCall) => void;
  readonly log: Logger;
}

/** Why a trunk does not take one more. */
interface TrunkRefusal {
  readonly code: 'CF_TRUNK_FULL' | 'CF_TRUNK_TOO_FAST' | 'CF_TRUNK_NOT_COUNTED';
  readonly message: string;
}

const GONE = 404;
const EXISTS = 409;

/**
 * The places on trunks of one shard's calls: of those that we place, under the call's id from before they are dialled to their
 * end; of the legs that programs dial, under the leg's channel, from before it is made to its end.
 */
export class TrunkPlaces {
  readonly #options: TrunkPlacesOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: TrunkPlacesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.keepAll(), KEEP_TRUNK_PLACES_EVERY_MS);
  }

  /** @returns why it may not be dialled; undefined when it may */
  async take(trunk: TrunkLimits, member: string): Promise<TrunkRefusal | undefined> {
    const { redis, log } = this.#options;
    const { name } = trunk;
    try {
      const answer = await takeTrunkPlace(redis, trunk, member);
      if (answer === 'taken') return undefined;
      return answer === 'full'
        ? { code: 'CF_TRUNK_FULL', message: `the trunk "${name}" has as many calls as it may` }
        : { code: 'CF_TRUNK_TOO_FAST', message: `the trunk "${name}" got as many new calls this second as it may` };
    } catch (error) {
      log.warn({ member, trunk: name, err: error }, 'trunk.not-counted');
      return {
        code: 'CF_TRUNK_NOT_COUNTED',
        message: `Redis is away: the calls on the trunk "${name}" can't be counted`,
      };
    }
  }

  /** Of a call that we place, until it ends. */
  hold(call: LiveCall, trunk: string): void {
    call.onEnded ??= () => this.#leave(trunk, call.id);
  }

  /** Sends a command, and before it takes the place of the leg that it makes, if that goes out through a trunk. */
  async counted(
    call: LiveCall,
    request: AriRequest<unknown>,
    send: () => Promise<CommandReply>,
  ): Promise<CommandReply> {
    const made = this.#legMadeBy(call, request);
    if (!made) {
      const reply = await send();
      // What was created and did not come into its application is told of in no event.
      const hungUp = channelHungUpBy(request);
      if (hungUp !== undefined && reply.ok && (reply.status < 400 || reply.status === GONE)) this.leave(call, hungUp);
      return reply;
    }
    const { channelId, trunk } = made;
    const refused = await this.take(trunk, channelId);
    if (refused) return { ok: false, ...refused };
    call.trunkLegs.set(channelId, trunk.name);
    this.#options.keep(call);
    const reply = await send();
    const isNotMade = reply.ok ? reply.status >= 400 && reply.status !== EXISTS : isNotSent(reply);
    if (isNotMade) this.leave(call, channelId);
    return reply;
  }

  /** A channel of the call is over; most have no place. */
  leave(call: LiveCall, channelId: string): void {
    const trunk = call.trunkLegs.get(channelId);
    if (trunk === undefined) return;
    call.trunkLegs.delete(channelId);
    if (call.endedAt === undefined) this.#options.keep(call);
    this.#leave(trunk, channelId);
  }

  /** Also of calls and legs that another gateway had dialled, and whose shard is ours now. */
  keepAll(): void {
    const { redis, calls, log } = this.#options;
    const byTrunk = new Map<string, string[]>();
    const add = (trunk: string, member: string) => byTrunk.set(trunk, [...(byTrunk.get(trunk) ?? []), member]);
    for (const call of calls.unended()) {
      const trunk = call.knownOffer?.dial?.trunk;
      if (trunk === undefined) continue;
      this.hold(call, trunk);
      add(trunk, call.id);
    }
    for (const { trunkLegs } of calls.withTrunkLegs())
      for (const [channelId, trunk] of trunkLegs) add(trunk, channelId);
    for (const [trunk, members] of byTrunk)
      keepTrunkPlaces(redis, trunk, members).catch((error: unknown) =>
        log.warn({ trunk, err: error }, 'trunk.not-kept'),
      );
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #legMadeBy(
    call: LiveCall,
    { method, route, query }: AriRequest<unknown>,
  ): { channelId: string; trunk: Trunk } | undefined {
    const { channelId, endpoint } = query;
    if (method !== 'POST' || route !== '/channels/create' || channelId === undefined || endpoint === undefined)
      return undefined;
    // The call's own has its place already.
    if (channelId === call.channelId) return undefined;
    const trunk = trunkOf(endpoint, this.#options.trunks);
    return trunk && { channelId, trunk };
  }

  /** If Redis is away now, the place runs out by itself. */
  #leave(trunk: string, member: string): void {
    const { redis, log } = this.#options;
    leaveTrunk(redis, trunk, member).catch((error: unknown) =>
      log.warn({ member, trunk, err: error }, 'trunk.not-left'),
    );
  }
}

function channelHungUpBy({ method, route, path }: AriRequest<unknown>): string | undefined {
  if (method !== 'DELETE' || route !== '/channels/{channelId}') return undefined;
  return decodeURIComponent(path.split('/')[1] ?? '');
}

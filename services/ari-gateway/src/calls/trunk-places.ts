import {
  KEEP_TRUNK_PLACES_EVERY_MS,
  keepTrunkPlaces,
  type LeaseRedis,
  leaveTrunk,
  type TrunkLimits,
  takeTrunkPlace,
} from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import type { LiveCall, LiveCalls } from './live-call.ts';

export interface TrunkPlacesOptions {
  readonly redis: LeaseRedis;
  readonly calls: LiveCalls;
  readonly log: Logger;
}

/** The places on trunks of one shard's calls, from before they are dialled to their end. */
export class TrunkPlaces {
  readonly #options: TrunkPlacesOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: TrunkPlacesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.keepAll(), KEEP_TRUNK_PLACES_EVERY_MS);
  }

  /** @returns why the call may not be placed; undefined when it may */
  async take(
    trunk: TrunkLimits,
    call: string,
  ): Promise<'CF_TRUNK_FULL' | 'CF_TRUNK_TOO_FAST' | 'CF_TRUNK_NOT_COUNTED' | undefined> {
    const { redis, log } = this.#options;
    try {
      const answer = await takeTrunkPlace(redis, trunk, call);
      if (answer === 'taken') return undefined;
      return answer === 'full' ? 'CF_TRUNK_FULL' : 'CF_TRUNK_TOO_FAST';
    } catch (error) {
      log.warn({ call, trunk: trunk.name, err: error }, 'trunk.not-counted');
      return 'CF_TRUNK_NOT_COUNTED';
    }
  }

  /** Until the call ends. */
  hold(call: LiveCall, trunk: string): void {
    const { redis, log } = this.#options;
    call.onEnded ??= () => {
      // If Redis is away now, the place runs out by itself.
      leaveTrunk(redis, trunk, call.id).catch((error: unknown) =>
        log.warn({ call: call.id, trunk, err: error }, 'trunk.not-left'),
      );
    };
  }

  /** Also of calls that another gateway placed, and whose shard is ours now. */
  keepAll(): void {
    const { redis, calls, log } = this.#options;
    const byTrunk = new Map<string, LiveCall[]>();
    for (const call of calls.unended()) {
      const trunk = call.knownOffer?.dial?.trunk;
      if (trunk === undefined) continue;
      this.hold(call, trunk);
      byTrunk.set(trunk, [...(byTrunk.get(trunk) ?? []), call]);
    }
    for (const [trunk, on] of byTrunk)
      keepTrunkPlaces(
        redis,
        trunk,
        on.map(({ id }) => id),
      ).catch((error: unknown) => log.warn({ trunk, err: error }, 'trunk.not-kept'));
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

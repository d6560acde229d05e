import { type Bus, linksTo, type OfferInHand, workerPresence } from '@callfleet/bus';
import {
  acquireLease,
  assertLease,
  type LeaseRedis,
  leaseOf,
  releaseLease,
  type Session,
  yieldLease,
} from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { ClaimedCall } from './claimed-call.ts';
import { pulledOffers, takeovers } from './metrics.ts';
import { giveBack } from './offer-intake.ts';
import { type ProgramRoute, routeFor } from './program-routes.ts';
import type { ProgramPlaces } from './program-threads.ts';
import type { RelayDirectory } from './relay-directory.ts';
import type { RelayWatch } from './relay-watch.ts';
import type { Standing } from './standing.ts';

export interface WorkerOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly session: Session;
  readonly standing: Standing;
  readonly relays: RelayDirectory;
  readonly relayWatch: Pick<RelayWatch, 'watch'>;
  readonly routes: readonly ProgramRoute[];
  readonly threads: ProgramPlaces;
  readonly log: Logger;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxCallMs: number;
  readonly maxAfterCallMs: number;
}

interface RunningCall {
  readonly call: ClaimedCall;
  readonly done: Promise<void>;
}

/** Runs each call's program to its end. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #calls = new Map<string, RunningCall>();
  /** Offers in hand. From before its lease is asked for: what Redis grants must not look as if nobody had it. */
  readonly #taking = new Set<string>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls.size;
  }

  /** A lease that it does not know of, since Redis's answer did not come, is not its own. */
  has(call: string): boolean {
    return this.#calls.has(call) || this.#taking.has(call);
  }

  /**
   * Says again what is ours, and lets go what is another's by now.
   *
   * @throws what Redis refuses it with; then it is not known of every call whose it is
   */
  async assertLeases(): Promise<void> {
    const { redis } = this.#options;
    await Promise.all(
      [...this.#calls.values()].map(async ({ call }) => {
        if (!(await assertLease(redis, call.lease))) call.lose("its lease is another worker's");
      }),
    );
  }

  /** Waits for the calls under way; those still there after `limitMs` are handed to other workers. */
  async drain(limitMs: number): Promise<void> {
    const done = () => Promise.all([...this.#calls.values()].map((running) => running.done));
    await Promise.race([done(), new Promise((resolve) => setTimeout(resolve, limitMs))]);
    await Promise.all(
      [...this.#calls.values()].map((running) =>
        running.call.handOver((lease) => yieldLease(this.#options.redis, lease)),
      ),
    );
    await done();
  }

  /** Takes an offered call and runs it. Resolves when it is over, or was not for us. */
  async take(inHand: OfferInHand): Promise<void> {
    const { call, expiresAt } = inHand.offer;
    const isExpired = () => expiresAt < Date.now();
    const running = this.#calls.get(call);
    if (running) {
      // A false alarm: the gateway took us for dead. It must know that we are not, or it gives the call back.
      await running.call.claim();
      pulledOffers.count('has-worker');
      inHand.acknowledge();
    } else if (this.#taking.has(call)) {
      // It comes again while Redis still thinks about it: whoever has it in hand here settles it.
      giveBack(inHand);
    } else if (isExpired() || !(await this.#tryClaim(inHand))) {
      if (isExpired()) await this.#expire(inHand);
      // Not acknowledged: the offer comes again, to us or to another worker.
      else giveBack(inHand);
    }
  }

  /** @returns false when it failed */
  async #tryClaim(inHand: OfferInHand): Promise<boolean> {
    const { call } = inHand.offer;
    this.#taking.add(call);
    try {
      await this.#claim(inHand);
      return true;
    } catch (error) {
      this.#options.log.error({ call, err: error }, 'call.failed');
      return false;
    } finally {
      this.#taking.delete(call);
    }
  }

  /**
   * Nobody may take the call by this offer any more. What a try that failed has left in Redis goes with it: the lease was granted,
   * but its answer was lost, or the gateway's to the claim, or the journal's.
   */
  async #expire(inHand: OfferInHand): Promise<void> {
    const { redis, session, log } = this.#options;
    const { call } = inHand.offer;
    try {
      const left = await leaseOf(redis, session.instance, call);
      // A later offer of the call may be in hand here, under the same lease. One that is yet to come asks Redis after this.
      if (left && !this.has(call)) await releaseLease(redis, left);
      pulledOffers.count('expired');
      inHand.acknowledge();
    } catch (error) {
      log.warn({ call, err: error }, 'lease.not-released');
      giveBack(inHand);
    }
  }

  async #claim(inHand: OfferInHand): Promise<void> {
    const { bus, redis, session, routes, log } = this.#options;
    const { offer, trace } = inHand;
    const route = routeFor(routes, offer);
    if (!route && offer.dial && !offer.program) {
      // Another worker of the pool has the program.
      giveBack(inHand);
      return;
    }
    if (!route) {
      // Nobody has it where it was looked for: the gateway gives the caller back.
      log.error({ call: offer.call, ...offer.program }, 'call.program-not-here');
      inHand.acknowledge();
      return;
    }
    const lease = await inSpan('lease', { attributes: { 'callfleet.call': offer.call }, parent: trace }, () =>
      acquireLease(redis, session, offer.call, {
        floor: offer.epoch,
        presenceOf: (owner) => workerPresence(bus, owner, offer.call),
      }),
    );
    const call = new ClaimedCall({ ...this.#options, offer, lease, route });
    if (lease.owner !== session.instance) {
      // A false alarm: its owner lives. The gateway is told whose it is.
      await call.tellOwner();
      pulledOffers.count('has-worker');
      inHand.acknowledge();
      return;
    }
    const attributes = {
      'callfleet.call': offer.call,
      'callfleet.pbx': offer.pbx,
      'callfleet.program': route.name,
      'callfleet.epoch': lease.epoch,
    };
    const links = linksTo(offer.ownerTrace);
    await inSpan('call', { kind: SpanKind.CONSUMER, attributes, links, parent: trace }, async () => {
      const done = Promise.withResolvers<void>();
      this.#calls.set(offer.call, { call, done: done.promise });
      try {
        const onClaimed = () => {
          pulledOffers.count('taken');
          if (lease.epoch > 1) takeovers.add(1);
          inHand.acknowledge();
        };
        if ((await call.run(onClaimed)) || call.isGivenBack) await releaseLease(redis, lease);
        // Whoever has it has a higher epoch, and refuses this. If nobody has it, it must not wait until this worker stops.
        else if (call.isClaimed) await call.handOver((held) => yieldLease(redis, held));
        inHand.acknowledge();
      } catch (error) {
        // The gateway counts on us, and offers it to nobody else.
        if (call.isClaimed) await call.handOver((held) => yieldLease(redis, held));
        throw error;
      } finally {
        this.#calls.delete(offer.call);
        done.resolve();
      }
    });
  }
}

import { type Bus, type OfferInHand, type OfferQueue, workerPresence } from '@callfleet/bus';
import { acquireLease, assertLease, type LeaseRedis, releaseLease, type Session, yieldLease } from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { SpanKind } from '@opentelemetry/api';
import type { Admission } from './admission.ts';
import { ClaimedCall } from './claimed-call.ts';
import { NO_PROGRAM, type ProgramRoute, routeFor } from './program-routes.ts';
import type { ProgramThreads } from './program-threads.ts';
import type { RelayDirectory } from './relay-directory.ts';

export interface WorkerOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly session: Session;
  readonly offers: OfferQueue;
  readonly relays: RelayDirectory;
  readonly routes: readonly ProgramRoute[];
  readonly threads: ProgramThreads;
  readonly admission: Admission;
  readonly log: Logger;
  /** Calls at once. */
  readonly maxCalls: number;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

interface RunningCall {
  readonly call: ClaimedCall;
  readonly done: Promise<void>;
}

const RETRY_AFTER_MS = 250;

/** Takes offers while it has room, and runs each call's program to its end. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #calls = new Map<string, RunningCall>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls.size;
  }

  /** Pulls offers until `stopping`. */
  async takeOffers(stopping: AbortSignal): Promise<void> {
    const { offers, admission, maxCalls, log } = this.#options;
    while (!stopping.aborted) {
      const room = maxCalls - this.#calls.size;
      try {
        if (!admission.isOpen) await orAborted(admission.opened(), stopping);
        else if (room === 0) await Promise.race([...this.#calls.values()].map((running) => running.done));
        else
          for await (const inHand of offers.pull(room, AbortSignal.any([stopping, admission.pausing]))) {
            if (stopping.aborted) inHand.giveBack();
            else void this.#take(inHand);
          }
      } catch (error) {
        log.warn({ err: error }, 'offers.pull-failed');
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      }
    }
  }

  /** Redis had forgotten our leases: says again what is ours, and lets go what is another's by now. */
  async assertLeases(): Promise<void> {
    const { redis, log } = this.#options;
    for (const { call } of [...this.#calls.values()])
      try {
        if (!(await assertLease(redis, call.lease))) call.lose("its lease is another worker's");
      } catch (error) {
        log.warn({ call: call.lease.what, err: error }, 'call.assert-failed');
      }
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

  async #take(inHand: OfferInHand): Promise<void> {
    const { call, expiresAt } = inHand.offer;
    const running = this.#calls.get(call);
    // A false alarm: the gateway took us for dead. It must know that we are not, or it gives the call back.
    if (running) await running.call.claim();
    if (running || expiresAt < Date.now()) {
      inHand.acknowledge();
      return;
    }
    try {
      await this.#claim(inHand);
    } catch (error) {
      // Not acknowledged: the offer comes again, to us or to another worker.
      this.#options.log.error({ call, err: error }, 'call.failed');
      inHand.giveBack();
    }
  }

  async #claim(inHand: OfferInHand): Promise<void> {
    const { bus, redis, session, routes } = this.#options;
    const { offer, trace } = inHand;
    const isGone = async (owner: string) => (await workerPresence(bus, owner)) === 'gone';
    const lease = await acquireLease(redis, session, offer.call, offer.epoch, isGone);
    const route = routeFor(routes, offer.called.number) ?? NO_PROGRAM;
    const call = new ClaimedCall({ ...this.#options, offer, lease, route });
    if (lease.owner !== session.instance) {
      // A false alarm: its owner lives. The gateway is told whose it is.
      await call.claim();
      inHand.acknowledge();
      return;
    }
    const attributes = {
      'callfleet.call': offer.call,
      'callfleet.pbx': offer.pbx,
      'callfleet.program': route.name,
      'callfleet.epoch': lease.epoch,
    };
    await inSpan('call', { kind: SpanKind.CONSUMER, attributes, parent: trace }, async () => {
      const done = Promise.withResolvers<void>();
      this.#calls.set(offer.call, { call, done: done.promise });
      try {
        if (await call.run(() => inHand.acknowledge())) await releaseLease(redis, lease);
      } finally {
        this.#calls.delete(offer.call);
        done.resolve();
      }
    });
  }
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<unknown> {
  const aborted = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => aborted.resolve(), { once: true });
  return Promise.race([promise, aborted.promise]);
}

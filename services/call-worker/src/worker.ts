import {
  type Bus,
  type CallEvent,
  followCall,
  mediaEventSchemas,
  type OfferInHand,
  type OfferQueue,
  writeCallRecord,
} from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { type CallHost, CallRuntime } from '@callfleet/calls/runtime';
import { acquireLease, type Lease, type LeaseRedis, releaseLease, type Session } from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { callRecordOf } from './call-record.ts';
import { wallClock } from './clock.ts';
import { GatewayClient } from './gateway-client.ts';
import { NO_PROGRAM, type ProgramRoute, routeFor } from './program-routes.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayDirectory } from './relay-directory.ts';

export interface WorkerOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly session: Session;
  readonly offers: OfferQueue;
  readonly relays: RelayDirectory;
  readonly routes: readonly ProgramRoute[];
  readonly log: Logger;
  /** Calls at once. */
  readonly maxCalls: number;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** Takes offers while it has room, and runs each call's program to its end. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #calls = new Map<string, { runtime: CallRuntime; done: Promise<void> }>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls.size;
  }

  /** Pulls offers until `stopping`. */
  async takeOffers(stopping: AbortSignal): Promise<void> {
    const { offers, maxCalls, log } = this.#options;
    while (!stopping.aborted) {
      const room = maxCalls - this.#calls.size;
      try {
        if (room === 0) await Promise.race([...this.#calls.values()].map((call) => call.done));
        else
          for await (const inHand of offers.pull(room, stopping)) {
            if (stopping.aborted) inHand.giveBack();
            else this.#start(inHand);
          }
      } catch (error) {
        log.warn({ err: error }, 'offers.pull-failed');
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  /** Waits for the calls under way; those still there after `limitMs` go back to the dialplan. */
  async drain(limitMs: number): Promise<void> {
    const done = () => Promise.all([...this.#calls.values()].map((call) => call.done));
    await Promise.race([done(), new Promise((resolve) => setTimeout(resolve, limitMs))]);
    for (const { runtime } of this.#calls.values()) void runtime.giveBack('WORKER_STOPPED');
    await done();
  }

  #start(inHand: OfferInHand): void {
    const { call } = inHand.offer;
    if (this.#calls.has(call)) {
      inHand.acknowledge();
      return;
    }
    void this.#claim(inHand).catch((error: unknown) => {
      // Not acknowledged: the offer comes again, to us or to another worker.
      this.#options.log.error({ call, err: error }, 'call.claim-failed');
      inHand.giveBack();
    });
  }

  async #claim(inHand: OfferInHand): Promise<void> {
    const { redis, session, routes, log } = this.#options;
    const { offer, trace } = inHand;
    if (offer.expiresAt < Date.now()) {
      log.info({ call: offer.call }, 'offer.expired');
      inHand.acknowledge();
      return;
    }
    const lease = await acquireLease(redis, session, offer.call);
    if (!lease) {
      inHand.acknowledge();
      return;
    }
    const route = routeFor(routes, offer.called.number) ?? NO_PROGRAM;
    const attributes = {
      'callfleet.call': offer.call,
      'callfleet.pbx': offer.pbx,
      'callfleet.program': route.name,
      'callfleet.epoch': lease.epoch,
    };
    await inSpan('call', { kind: SpanKind.CONSUMER, attributes, parent: trace }, () => this.#run(inHand, lease, route));
  }

  async #run(inHand: OfferInHand, lease: Lease, route: ProgramRoute): Promise<void> {
    const { bus, redis, log, relays, commandTimeoutMs, connectTimeoutMs } = this.#options;
    const { offer } = inHand;
    const where = { id: offer.call, pbx: offer.pbx, shard: offer.shard, zone: offer.zone };
    const gateway = new GatewayClient(bus, where, lease, commandTimeoutMs);
    const relay = new RelayClient(bus, relays, where, lease.epoch);
    const host: CallHost = {
      clock: wallClock,
      app: offer.shard,
      connectTimeoutMs,
      command: (id, request) => gateway.command(id, request),
      openMedia: (session, provider, options) => relay.open(session, provider, options),
      operation: (name, number, work) =>
        inSpan(name, { attributes: { 'callfleet.call': offer.call, 'callfleet.operation': number } }, work),
    };
    const runtime = new CallRuntime({ ...offer, id: offer.call, direction: 'inbound' }, host);
    const finished = Promise.withResolvers<void>();
    this.#calls.set(offer.call, { runtime, done: finished.promise });
    const claimed = gateway.claim().catch((error: unknown) => {
      log.warn({ call: offer.call, err: error }, 'call.claim-refused');
      if (error instanceof CallTakenOverError) runtime.abandon(error.message);
    });
    try {
      const feed = await followCall(bus, offer.call, {
        onEvent: (event) => {
          rememberMedia(event, relay);
          runtime.deliver(event);
        },
        onBadMessage: (error) => log.warn({ call: offer.call, err: error }, 'call.bad-event'),
      });
      inHand.acknowledge();
      log.info({ call: offer.call, program: route.name, epoch: lease.epoch }, 'call.claimed');
      try {
        const outcome = await runtime.run(route.program);
        await claimed;
        await writeCallRecord(bus, callRecordOf(offer, route.name, lease.owner, outcome, relay.results.values()));
        log.info({ call: offer.call, endedBy: outcome.endedBy, error: outcome.error }, 'call.ended');
      } finally {
        feed.close();
      }
      await releaseLease(redis, lease);
    } finally {
      this.#calls.delete(offer.call);
      finished.resolve();
    }
  }
}

/** What a media session that ended by itself measured. */
function rememberMedia(event: CallEvent, relay: RelayClient): void {
  if (event.type !== 'media.ended') return;
  const ended = mediaEventSchemas.ended.safeParse(event.data);
  if (ended.success && !relay.results.has(ended.data.session)) relay.results.set(ended.data.session, ended.data);
}

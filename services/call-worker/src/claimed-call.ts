import {
  type Bus,
  type CallEvent,
  CallEventFeed,
  mediaEventSchemas,
  type Offer,
  type ProgramVersion,
  writeCallRecord,
} from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { CallRuntime, type Journal } from '@callfleet/calls/runtime';
import type { Lease } from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { workerRecordOf } from './call-record.ts';
import { wallClock } from './clock.ts';
import { GatewayClient } from './gateway-client.ts';
import { openJournal } from './journal.ts';
import { countEnded } from './metrics.ts';
import { type ProgramRoute, versionOf } from './program-routes.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayDirectory } from './relay-directory.ts';

export interface ClaimedCallOptions {
  readonly bus: Bus;
  readonly relays: RelayDirectory;
  readonly offer: Offer;
  readonly lease: Lease;
  readonly route: ProgramRoute;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxCallMs: number;
  readonly maxAfterCallMs: number;
  readonly log: Logger;
}

/** One call in this worker's hands, from its lease to its record. */
export class ClaimedCall {
  readonly #options: ClaimedCallOptions;
  readonly #log: Logger;
  readonly #gateway: GatewayClient;
  readonly #relay: RelayClient;
  #runtime: CallRuntime | undefined;
  #handedOver = false;

  constructor(options: ClaimedCallOptions) {
    const { bus, offer, lease, relays, commandTimeoutMs } = options;
    const where = { id: offer.call, pbx: offer.pbx, shard: offer.shard, zone: offer.zone };
    this.#options = options;
    this.#log = options.log.child({ call: offer.call, epoch: lease.epoch });
    this.#gateway = new GatewayClient(bus, where, lease, commandTimeoutMs);
    this.#relay = new RelayClient(bus, relays, where, lease.epoch);
  }

  /**
   * Tells the gateway whose the call is, reads what was missed, runs the program to its end, and writes the record.
   *
   * @param onTaken the call is in hand, with all that is known of it
   * @returns false when the call is another worker's by then
   */
  async run(onTaken: () => void): Promise<boolean> {
    const { bus, offer, lease, route } = this.#options;
    const claimed = this.claim();
    const journal = await openJournal(bus, offer.call, lease, offer.lostBy);
    const runtime = this.#newRuntime(journal);
    const feed = await CallEventFeed.open(bus, offer.call, {
      onEvent: (event) => {
        this.#rememberMedia(event);
        runtime.deliver(event);
      },
      onBadMessage: (error) => this.#log.warn({ err: error }, 'call.bad-event'),
    });
    try {
      onTaken();
      const { name, version } = route;
      this.#log.info({ program: name, version, replayed: journal.before.length }, 'call.claimed');
      const outcome = await runtime.run(route.program);
      await claimed;
      if (!outcome) {
        this.#log.info('call.lost');
        return false;
      }
      await writeCallRecord(
        bus,
        workerRecordOf(offer, {
          program: versionOf(route),
          workers: journal.workers,
          status: this.#gateway.status,
          outcome,
          media: this.#relay.results.values(),
        }),
      );
      countEnded(route.name, outcome.endedBy);
      await this.#gateway.done().catch((error: unknown) => this.#log.warn({ err: error }, 'call.done-not-told'));
      this.#log.info({ endedBy: outcome.endedBy, error: outcome.error }, 'call.ended');
      return true;
    } finally {
      feed.close();
      journal.close();
    }
  }

  /** Tells the gateway that the call is this worker's, and run by this program. */
  claim(): Promise<void> {
    return this.#tellOwner(versionOf(this.#options.route));
  }

  /** Tells the gateway that the call is its lease's owner's, whatever program that one runs. */
  tellOwner(): Promise<void> {
    return this.#tellOwner();
  }

  get lease(): Lease {
    return this.#options.lease;
  }

  /** Another worker has it: this one's part is over. */
  lose(why: string): void {
    this.#runtime?.abandon(why);
  }

  /** Stops acting for the call, and has it offered to the other workers. They go on where this one stood. */
  async handOver(freeLease: (lease: Lease) => Promise<unknown>): Promise<void> {
    this.#handedOver = true;
    this.lose('this worker stops');
    await freeLease(this.lease);
    await this.#gateway.release().catch((error: unknown) => this.#log.error({ err: error }, 'call.not-handed-over'));
  }

  #newRuntime(journal: Journal): CallRuntime {
    const { offer, lease, connectTimeoutMs, maxCallMs, maxAfterCallMs } = this.#options;
    const runtime = new CallRuntime(
      { ...offer, id: offer.call, direction: 'inbound' },
      {
        clock: wallClock,
        app: offer.shard,
        connectTimeoutMs,
        maxCallMs,
        maxAfterCallMs,
        journal,
        epoch: lease.epoch,
        command: (id, request) => this.#gateway.command(id, request),
        openMedia: (session, provider, options, relay) => this.#relay.open(session, provider, options, relay),
        knownMedia: (session, relay) => this.#relay.known(session, relay),
        operation: (name, number, work) =>
          inSpan(name, { attributes: { 'callfleet.call': offer.call, 'callfleet.operation': number } }, work),
      },
    );
    this.#runtime = runtime;
    if (this.#handedOver) runtime.abandon('this worker stops');
    return runtime;
  }

  #tellOwner(program?: ProgramVersion): Promise<void> {
    return this.#gateway.claim(program).catch((error: unknown) => this.#onClaimRefused(error));
  }

  #onClaimRefused(error: unknown): void {
    this.#log.warn({ err: error }, 'call.claim-refused');
    if (error instanceof CallTakenOverError) this.lose(error.message);
  }

  /** What a media session that ended by itself measured. */
  #rememberMedia(event: CallEvent): void {
    if (event.type !== 'media.ended') return;
    const ended = mediaEventSchemas.ended.safeParse(event.data);
    if (ended.success && !this.#relay.results.has(ended.data.session))
      this.#relay.results.set(ended.data.session, ended.data);
  }
}

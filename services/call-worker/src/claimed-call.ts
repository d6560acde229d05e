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
import { GatewayClient, type MayAct } from './gateway-client.ts';
import { openJournal } from './journal.ts';
import { countEnded } from './metrics.ts';
import { type ProgramRoute, versionOf } from './program-routes.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayDirectory } from './relay-directory.ts';
import type { Standing } from './standing.ts';

export interface ClaimedCallOptions {
  readonly bus: Bus;
  readonly relays: RelayDirectory;
  readonly offer: Offer;
  readonly lease: Lease;
  readonly route: ProgramRoute;
  readonly standing: Standing;
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
  /** Aborted when this worker's part is over: from then on nothing leaves it under the lease. */
  readonly #part = new AbortController();
  #runtime: CallRuntime | undefined;

  constructor(options: ClaimedCallOptions) {
    const { bus, offer, lease, relays, commandTimeoutMs } = options;
    const where = { id: offer.call, pbx: offer.pbx, shard: offer.shard, zone: offer.zone };
    this.#options = options;
    this.#log = options.log.child({ call: offer.call, epoch: lease.epoch });
    const mayAct: MayAct = (withinMs) => options.standing.certain(this.#part.signal, withinMs);
    this.#gateway = new GatewayClient(bus, where, lease, commandTimeoutMs, mayAct);
    this.#relay = new RelayClient(bus, relays, where, lease.epoch, mayAct);
  }

  /**
   * Tells the gateway whose the call is, reads what was missed, runs the program to its end, and writes the record.
   *
   * @param onClaimed the gateway knows whose the call is, and watches over it: its offer is of no use any more
   * @returns false when the call is another worker's by then
   */
  async run(onClaimed: () => void): Promise<boolean> {
    const { bus, offer, lease, route, standing } = this.#options;
    const claimed = this.claim(onClaimed);
    const mayAppend = () => standing.certain(this.#part.signal);
    const journal = await openJournal(bus, offer, lease, claimed, mayAppend).catch(undefinedIfTakenOver);
    if (!journal) {
      this.#log.info('call.lost');
      return false;
    }
    const runtime = this.#newRuntime(journal);
    const feed = await CallEventFeed.open(bus, offer.call, {
      onEvent: (event) => {
        this.#rememberMedia(event);
        runtime.deliver(event);
      },
      onBadMessage: (error) => this.#log.warn({ err: error }, 'call.bad-event'),
    });
    try {
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
      this.#part.abort(new CallTakenOverError('it is over'));
    }
  }

  /** Tells the gateway that the call is this worker's, and run by this program. */
  claim(onClaimed: () => void = () => {}): Promise<void> {
    return this.#tellOwner(versionOf(this.#options.route)).then(onClaimed, (error: unknown) =>
      this.#log.warn({ err: error }, 'call.claim-refused'),
    );
  }

  /** Tells the gateway that the call is its lease's owner's, whatever program that one runs. */
  tellOwner(): Promise<void> {
    return this.#tellOwner().catch((error: unknown) => this.#log.warn({ err: error }, 'call.claim-refused'));
  }

  get lease(): Lease {
    return this.#options.lease;
  }

  /** Another worker has it: this one's part is over. */
  lose(why: string): void {
    this.#part.abort(new CallTakenOverError(why));
    this.#runtime?.abandon(why);
  }

  /** Stops acting for the call, and has it offered to the other workers. They go on where this one stood. */
  async handOver(freeLease: (lease: Lease) => Promise<unknown>): Promise<void> {
    this.lose('this worker stops');
    await freeLease(this.lease);
    await this.#gateway.release().catch((error: unknown) => this.#log.error({ err: error }, 'call.not-handed-over'));
  }

  #newRuntime({ before, append }: Journal): CallRuntime {
    const { offer, lease, connectTimeoutMs, maxCallMs, maxAfterCallMs } = this.#options;
    const runtime = new CallRuntime(
      { ...offer, id: offer.call, direction: 'inbound' },
      {
        clock: wallClock,
        app: offer.shard,
        connectTimeoutMs,
        maxCallMs,
        maxAfterCallMs,
        journal: { before, append: (entry) => append(entry).catch((error: unknown) => this.#passOn(error)) },
        epoch: lease.epoch,
        command: (id, request) => this.#gateway.command(id, request).catch((error: unknown) => this.#passOn(error)),
        openMedia: (session, provider, options, relay) => this.#relay.open(session, provider, options, relay),
        knownMedia: (session, relay) => this.#relay.known(session, relay),
        operation: (name, number, work) =>
          inSpan(name, { attributes: { 'callfleet.call': offer.call, 'callfleet.operation': number } }, work),
      },
    );
    this.#runtime = runtime;
    if (this.#part.signal.aborted) runtime.abandon(this.#part.signal.reason.message);
    return runtime;
  }

  #tellOwner(program?: ProgramVersion): Promise<void> {
    return this.#gateway.claim(program).catch((error: unknown) => this.#passOn(error));
  }

  /** Also what is under way must not go on: it would take down what the next owner needs. */
  #passOn(error: unknown): never {
    if (error instanceof CallTakenOverError) this.lose(error.message);
    throw error;
  }

  /** What a media session that ended by itself measured. */
  #rememberMedia(event: CallEvent): void {
    if (event.type !== 'media.ended') return;
    const ended = mediaEventSchemas.ended.safeParse(event.data);
    if (ended.success && !this.#relay.results.has(ended.data.session))
      this.#relay.results.set(ended.data.session, ended.data);
  }
}

function undefinedIfTakenOver(error: unknown): undefined {
  if (!(error instanceof CallTakenOverError)) throw error;
}

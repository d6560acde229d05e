import { answer, type Bus, type CancelReply, cancelRequestSchema, subjects } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import type { CallOffers } from './call-offers.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { LiveCall, LiveCalls } from './live-call.ts';

export interface CancellationOptions {
  readonly bus: Bus;
  readonly pbx: string;
  readonly calls: LiveCalls;
  readonly offers: Pick<CallOffers, 'cancel'>;
  readonly publisher: Pick<EventPublisher, 'publishCancelled'>;
  readonly log: Logger;
}

/** Takes back calls that were placed on a shard, for whoever asks. */
export class Cancellation {
  readonly #options: CancellationOptions;
  #taking: { drain(): Promise<void> } | undefined;

  constructor(options: CancellationOptions) {
    this.#options = options;
  }

  /** While the shard is ours, and its socket stands. All shards of the PBX get each request, since who asks knows no shard. */
  start(): void {
    const { bus, pbx, calls } = this.#options;
    this.#taking ??= answer(
      bus,
      subjects.cancel(pbx),
      cancelRequestSchema,
      // The schema knows a call's id by its shape alone.
      ({ call }) => this.#cancel(calls.find(call as CallId)),
      (): CancelReply => ({ state: 'unknown' }),
    );
  }

  /** What NATS has sent already is answered. */
  stop(): void {
    // While NATS is away there is nothing to wait for.
    this.#taking?.drain().catch(() => {});
    this.#taking = undefined;
  }

  async #cancel(call: LiveCall | undefined): Promise<CancelReply> {
    const { offers, publisher, log } = this.#options;
    if (!call?.knownOffer?.dial) return { state: 'unknown' };
    if (call.endedAt !== undefined) return { state: call.isCancelled ? 'cancelled' : 'over' };
    // Its worker knows by this why the call ends, also one that takes it over.
    if (!call.isCancelled) publisher.publishCancelled(call);
    call.isCancelled = true;
    try {
      await offers.cancel(call);
      return { state: 'cancelled' };
    } catch (error) {
      log.warn({ call: call.id, err: error }, 'call.not-cancelled');
      return { state: 'failed', message: (error as Error).message };
    }
  }
}

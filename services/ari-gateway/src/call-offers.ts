import { type AriRequester, channels, type StasisStart } from '@callfleet/ari';
import { type Bus, type Offer, publishOffer, traceHeaders } from '@callfleet/bus';
import { partsOfCallId } from '@callfleet/identity';
import { type Logger, tracer } from '@callfleet/telemetry';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { isoTime } from './event-publisher.ts';
import type { LiveCall } from './live-call.ts';
import { filedOffers, givenBackCalls } from './metrics.ts';

export interface CallOffersOptions {
  readonly bus: Bus;
  readonly ari: AriRequester;
  readonly gateway: string;
  readonly pbx: string;
  readonly shard: string;
  readonly zone: string;
  readonly pool: string;
  readonly claimTimeoutMs: number;
  readonly log: Logger;
}

/** Offers calls to workers, and gives back to the dialplan those that nobody takes in time. */
export class CallOffers {
  readonly #options: CallOffersOptions;
  readonly #unclaimed = new Map<LiveCall, NodeJS.Timeout>();

  constructor(options: CallOffersOptions) {
    this.#options = options;
  }

  /** A new call: its trace begins here. */
  offer(call: LiveCall, event: StasisStart): void {
    const { gateway, pbx, shard, zone, claimTimeoutMs, log } = this.#options;
    const { channel, args } = event;
    const span = tracer.startSpan(
      'offer',
      {
        kind: SpanKind.PRODUCER,
        attributes: { 'callfleet.call': call.id, 'callfleet.pbx': pbx, 'callfleet.shard': shard },
      },
      ROOT_CONTEXT,
    );
    call.trace = trace.setSpan(ROOT_CONTEXT, span);
    const offer: Offer = {
      call: call.id,
      pbx,
      shard,
      zone,
      channelId: channel.id,
      channelName: channel.name,
      channelState: channel.state,
      caller: { number: channel.caller.number, name: channel.caller.name },
      called: { number: channel.dialplan.exten, context: channel.dialplan.context },
      args,
      variables: (channel.channelvars ?? {}) as Record<string, string>,
      epoch: call.epoch,
      gateway,
      enteredAt: isoTime(event.timestamp),
      expiresAt: Date.now() + claimTimeoutMs,
    };
    call.offer = offer;
    filedOffers.count('new');
    this.#file(call, offer)
      .then(() => log.info({ call: call.id, trace_id: span.spanContext().traceId }, 'call.offered'))
      // The claim time-out gives the call back: NATS is away, so no worker could be told.
      .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed'))
      .finally(() => span.end());
  }

  /** The worker that had the call is gone: whoever takes it goes on where that one stood. */
  offerAgain(call: LiveCall, why: 'worker-gone' | 'worker-stops'): void {
    const { claimTimeoutMs, log } = this.#options;
    call.worker = undefined;
    if (!call.offer || call.released) return;
    filedOffers.count(why);
    this.#file(call, { ...call.offer, epoch: call.epoch, expiresAt: Date.now() + claimTimeoutMs })
      .then(() => log.warn({ call: call.id, epoch: call.epoch }, 'call.offered-again'))
      .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed'));
  }

  /** A worker has the call, or it is over: nothing to give back. */
  settle(call: LiveCall): void {
    clearTimeout(this.#unclaimed.get(call));
    this.#unclaimed.delete(call);
  }

  close(): void {
    for (const timer of this.#unclaimed.values()) clearTimeout(timer);
    this.#unclaimed.clear();
  }

  #file(call: LiveCall, offer: Offer): Promise<void> {
    const { bus, pool, claimTimeoutMs } = this.#options;
    clearTimeout(this.#unclaimed.get(call));
    this.#unclaimed.set(
      call,
      setTimeout(() => void this.#giveBack(call), claimTimeoutMs),
    );
    return publishOffer(bus, pool, offer, traceHeaders(call.trace));
  }

  async #giveBack(call: LiveCall): Promise<void> {
    const { ari, log } = this.#options;
    this.#unclaimed.delete(call);
    if (call.endedAt !== undefined) return;
    call.released = true;
    givenBackCalls.count('not-claimed');
    log.error({ call: call.id }, 'call.not-claimed');
    const channelId = partsOfCallId(call.id)?.channelId ?? '';
    try {
      await ari.request(channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value: 'NOWORKER' }));
      await ari.request(channels.continueInDialplan({ channelId }));
    } catch (error) {
      log.error({ call: call.id, err: error }, 'call.give-back-failed');
    }
  }
}

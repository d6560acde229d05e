import { type AriRequester, channels, type StasisStart } from '@callfleet/ari';
import {
  type Bus,
  callRecordOf,
  type KeptCalls,
  type Offer,
  publishOffer,
  traceHeaders,
  writeCallRecord,
} from '@callfleet/bus';
import { type Logger, tracer } from '@callfleet/telemetry';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { filedOffers, givenBackCalls } from '../telemetry/metrics.ts';
import { isoTime } from './event-publisher.ts';
import type { LiveCall } from './live-call.ts';

export interface CallOffersOptions {
  readonly bus: Bus;
  readonly ari: AriRequester;
  readonly kept: KeptCalls;
  readonly gateway: string;
  readonly pbx: string;
  readonly shard: string;
  readonly zone: string;
  readonly pool: string;
  readonly claimTimeoutMs: number;
  readonly log: Logger;
}

/** What PBXs answer when asked for a channel that is gone. */
const GONE = 404;
const NO_WORKER = 'NOWORKER';
const NO_GATEWAY = 'NOGATEWAY';
/** A worker that took the offer of a call that is over, in the last moment, has claimed it by then; milliseconds. */
const LATE_CLAIM_MS = 2000;

/** Offers calls to workers, and gives back to the dialplan those that nobody takes in time. */
export class CallOffers {
  readonly #options: CallOffersOptions;
  readonly #unclaimed = new Map<LiveCall, NodeJS.Timeout>();
  #refusesNew = false;

  constructor(options: CallOffersOptions) {
    this.#options = options;
  }

  /**
   * A new call: its trace begins here.
   *
   * @param isFromItsStart false of one that was found: something may have been made for it before
   */
  offer(call: LiveCall, event: StasisStart, isFromItsStart = true): void {
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
    if (isFromItsStart) call.offer = offer;
    else call.inherited = offer;
    if (this.#refusesNew) {
      span.end();
      void this.#sendAway(call, NO_GATEWAY, 'draining');
      return;
    }
    this.keep(call);
    filedOffers.count('new');
    this.#file(call, offer)
      .then(() => log.info({ call: call.id, trace_id: span.spanContext().traceId }, 'call.offered'))
      // The claim time-out gives the call back: NATS is away, so no worker could be told.
      .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed'))
      .finally(() => span.end());
  }

  /** A call that we place: its worker dials it. @throws what NATS refuses the offer with; then nobody will */
  async offerOutbound(call: LiveCall, offer: Offer): Promise<void> {
    const { log } = this.#options;
    call.offer = offer;
    this.keep(call);
    filedOffers.count('new');
    try {
      await this.#file(call, offer);
    } catch (error) {
      this.settle(call);
      // NATS may have it all the same.
      call.released = true;
      call.end();
      this.forget(call);
      throw error;
    }
    log.info({ call: call.id, trace_id: trace.getSpanContext(call.trace)?.traceId }, 'call.offered');
  }

  /** The worker that had the call is gone: whoever takes it goes on where that one stood. */
  offerAgain(call: LiveCall, why: 'worker-gone' | 'worker-stops' | 'gateway-gone'): void {
    const { claimTimeoutMs, gateway, log } = this.#options;
    const { knownOffer } = call;
    call.worker = undefined;
    if (!knownOffer || call.released) return;
    this.keep(call);
    filedOffers.count(why);
    const { program, epoch } = call;
    const lostBy = call.workers.at(-1);
    this.#file(call, {
      ...knownOffer,
      gateway,
      epoch,
      ...(program && { program }),
      ...(lostBy !== undefined && { lostBy }),
      expiresAt: Date.now() + claimTimeoutMs,
    })
      .then(() => log.warn({ call: call.id, epoch, ...program }, 'call.offered-again'))
      .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed'));
  }

  /** From now on callers who come are sent back to the dialplan. */
  refuseNew(): void {
    this.#refusesNew = true;
  }

  /** A call that goes on, and may not: its caller goes back to the dialplan. Its worker sees that as its end, and cleans up. */
  async sendBack(call: LiveCall): Promise<void> {
    if (call.worker === undefined) await this.#sendAway(call, NO_GATEWAY, 'draining');
    else {
      givenBackCalls.count('draining');
      await this.#toDialplan(call, NO_GATEWAY);
    }
  }

  /**
   * A call that we place, and that is wanted no more. A worker that has it writes its record, one that is about to take it is
   * refused.
   *
   * @throws AriError, CommandRefusedError: the PBX could not be asked, and it may still be there
   */
  async cancel(call: LiveCall): Promise<void> {
    const { ari, log } = this.#options;
    const isUnclaimed = call.worker === undefined;
    if (isUnclaimed) call.released = true;
    await ari.request(channels.hangup({ channelId: call.channelId, reason: 'normal' }));
    log.info({ call: call.id }, 'call.cancelled');
    if (!isUnclaimed) return;
    this.settle(call);
    call.end();
    await this.#record(call, { endedBy: 'cancelled' });
  }

  /** A worker has the call, and will write its record. */
  settle(call: LiveCall): void {
    clearTimeout(this.#unclaimed.get(call));
    this.#unclaimed.delete(call);
  }

  /** For whichever gateway has the shard next. */
  keep(call: LiveCall): void {
    if (call.kept) this.#options.kept.keep(call.kept, call.trace);
  }

  /** It is over, and recorded. */
  forget(call: LiveCall): void {
    this.#options.kept.remove(call.id);
  }

  close(): void {
    for (const timer of this.#unclaimed.values()) clearTimeout(timer);
    this.#unclaimed.clear();
  }

  #file(call: LiveCall, offer: Offer): Promise<void> {
    const { bus, pool, claimTimeoutMs } = this.#options;
    this.#unlessClaimed(call, claimTimeoutMs, () => this.#onUnclaimed(call));
    return publishOffer(bus, pool, offer, traceHeaders(call.trace));
  }

  #unlessClaimed(call: LiveCall, afterMs: number, action: () => Promise<void>): void {
    this.settle(call);
    const timer = setTimeout(() => {
      this.#unclaimed.delete(call);
      void action();
    }, afterMs);
    this.#unclaimed.set(call, timer);
  }

  async #onUnclaimed(call: LiveCall): Promise<void> {
    if (call.endedAt !== undefined) {
      this.#unlessClaimed(call, LATE_CLAIM_MS, () => this.#record(call, { endedBy: 'caller' }));
      return;
    }
    this.#options.log.error({ call: call.id }, 'call.not-claimed');
    await this.#sendAway(call, NO_WORKER, 'not-claimed');
  }

  /** Of a call that no worker has. */
  async #sendAway(call: LiveCall, status: string, why: 'not-claimed' | 'draining'): Promise<void> {
    this.settle(call);
    call.released = true;
    givenBackCalls.count(why);
    const isBack = await this.#toDialplan(call, status);
    const endedBy = call.knownOffer?.dial ? 'unanswered' : 'dialplan';
    await this.#record(call, isBack ? { endedBy, status } : { endedBy: 'caller' });
  }

  /** @returns false when the caller had hung up by then */
  async #toDialplan(call: LiveCall, value: string): Promise<boolean> {
    const { ari, log } = this.#options;
    const { channelId } = call;
    try {
      // Whom we called is not known to the dialplan.
      if (call.knownOffer?.dial) {
        await ari.request(channels.hangup({ channelId }));
        call.end();
        return true;
      }
      await ari.request(channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value }));
      const { status } = await ari.request(channels.continueInDialplan({ channelId }));
      return status !== GONE;
    } catch (error) {
      log.error({ call: call.id, err: error }, 'call.give-back-failed');
      return true;
    }
  }

  /** Of a call that has no worker at its end. If one has written it after all, this one is dropped. */
  async #record(
    call: LiveCall,
    end: { endedBy: 'caller' | 'dialplan' | 'unanswered' | 'cancelled'; status?: string },
  ): Promise<void> {
    const { bus, log } = this.#options;
    const { knownOffer: offer, program, workers, progress } = call;
    if (!offer) return;
    const { answeredAt, cause, endedAt = new Date().toISOString() } = progress;
    const record = callRecordOf(offer, {
      ...(program && { program }),
      workers,
      ...(answeredAt !== undefined && { answeredAt }),
      endedAt,
      ...end,
      ...(call.isCancelled && { endedBy: 'cancelled' }),
      ...(call.isCancelled && answeredAt === undefined && { dialed: 'cancelled' }),
      ...(cause && { cause }),
    });
    try {
      await writeCallRecord(bus, record);
      this.forget(call);
      log.info({ call: call.id, ...end }, 'call.ended-without-worker');
    } catch (error) {
      log.error({ call: call.id, err: error }, 'call.record-failed');
    }
  }
}

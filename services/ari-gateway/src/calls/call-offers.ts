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
import { type Context, context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { type FiledFor, filedOffers, givenBackCalls, watchOffers } from '../telemetry/metrics.ts';
import { DialplanReturn } from './dialplan-return.ts';
import { isoTime } from './event-publisher.ts';
import type { LiveCall } from './live-call.ts';
import { OfferWait } from './offer-wait.ts';

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

const NO_WORKER = 'NOWORKER';
const NO_GATEWAY = 'NOGATEWAY';
const LEFT = 'PROGRAM_FAILED';
/** A worker that took the offer of a call that is over, in the last moment, has claimed it by then; milliseconds. */
const LATE_CLAIM_MS = 2000;

/** Offers calls to workers, and gives back to the dialplan those that nobody takes in time. */
export class CallOffers {
  readonly #options: CallOffersOptions;
  readonly #unclaimed = new Map<LiveCall, NodeJS.Timeout>();
  readonly #waits = new Map<LiveCall, OfferWait>();
  readonly #dialplan: DialplanReturn;
  readonly #unwatch: () => void;
  #refusesNew = false;

  constructor(options: CallOffersOptions) {
    this.#options = options;
    this.#dialplan = new DialplanReturn(options.ari, options.log);
    this.#unwatch = watchOffers({ pool: options.pool, waits: () => this.#waitsMs() });
  }

  *#waitsMs(): Generator<number> {
    for (const [call, wait] of this.#waits) if (call.endedAt === undefined) yield wait.ms;
  }

  /**
   * A new call: its trace begins here.
   *
   * @param isFromItsStart false of one that was found: something may have been made for it before
   */
  offer(call: LiveCall, event: StasisStart, isFromItsStart = true): void {
    const { gateway, pbx, shard, zone, claimTimeoutMs, log } = this.#options;
    const { channel, args } = event;
    const span = this.#beginTrace(call, ROOT_CONTEXT);
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
    this.#file(call, offer, 'new')
      .then(() => log.info({ call: call.id, trace_id: span.spanContext().traceId }, 'call.offered'))
      // The claim time-out gives the call back: NATS is away, so no worker could be told.
      .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed'))
      .finally(() => span.end());
  }

  /** A call that we place, in the trace of whoever has it placed: its worker dials it. @throws what NATS refuses the offer with; then nobody will */
  async offerOutbound(call: LiveCall, offer: Offer): Promise<void> {
    const { log } = this.#options;
    call.offer = offer;
    const span = this.#beginTrace(call, call.trace);
    this.keep(call);
    filedOffers.count('new');
    try {
      await this.#file(call, offer, 'new');
    } catch (error) {
      this.settle(call, 'not-filed');
      // NATS may have it all the same.
      call.released = true;
      call.end();
      this.forget(call);
      throw error;
    } finally {
      span.end();
    }
    log.info({ call: call.id, trace_id: span.spanContext().traceId }, 'call.offered');
  }

  /** The worker that had the call is gone: whoever takes it goes on where that one stood. */
  offerAgain(call: LiveCall, why: Exclude<FiledFor, 'new'>): void {
    const { claimTimeoutMs, gateway, log } = this.#options;
    const { knownOffer } = call;
    call.worker = undefined;
    if (!knownOffer || call.released) return;
    this.keep(call);
    filedOffers.count(why);
    const { program, epoch } = call;
    const lostBy = call.workers.at(-1);
    const again = {
      ...knownOffer,
      gateway,
      epoch,
      ...(program && { program }),
      ...(lostBy !== undefined && { lostBy }),
      ...(call.ownerTrace !== undefined && { ownerTrace: call.ownerTrace }),
      expiresAt: Date.now() + claimTimeoutMs,
    };
    context.with(call.trace, () =>
      this.#file(call, again, why)
        .then(() => log.warn({ call: call.id, epoch, ...program }, 'call.offered-again'))
        .catch((error: unknown) => log.error({ call: call.id, err: error }, 'call.offer-failed')),
    );
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
      await this.#dialplan.send(call, NO_GATEWAY);
    }
  }

  /** Its worker is through with it, and has written its record. Who is still there could not be told so in time. */
  leave(call: LiveCall): void {
    this.forget(call);
    if (call.endedAt !== undefined || !call.knownOffer) return;
    call.released = true;
    if (!call.knownOffer.dial) givenBackCalls.count('left');
    void this.#dialplan.send(call, LEFT);
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
    this.settle(call, 'cancelled');
    call.end();
    await this.#record(call, { endedBy: 'cancelled' });
  }

  /** Nobody is waited for any more. Claimed: a worker has the call, and will write its record. */
  settle(call: LiveCall, outcome: Parameters<OfferWait['end']>[0]): void {
    this.#waits.get(call)?.end(outcome);
    this.#waits.delete(call);
    this.#stopTimer(call);
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
    this.#unwatch();
    this.#dialplan.close();
    for (const call of this.#waits.keys()) this.settle(call, 'left');
    for (const call of this.#unclaimed.keys()) this.#stopTimer(call);
  }

  /** The first span of a call; all others are under it, of whichever worker. */
  #beginTrace(call: LiveCall, parent: Context): Span {
    const { pbx, shard } = this.#options;
    const attributes = {
      'callfleet.call': call.id,
      'callfleet.pbx': pbx,
      'callfleet.shard': shard,
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
    };
    const span = tracer.startSpan('offer', { kind: SpanKind.PRODUCER, attributes }, parent);
    call.trace = trace.setSpan(parent, span);
    return span;
  }

  #file(call: LiveCall, offer: Offer, why: FiledFor): Promise<void> {
    const { bus, pool, claimTimeoutMs } = this.#options;
    this.settle(call, 'replaced');
    this.#waits.set(call, new OfferWait(call, why));
    this.#unlessClaimed(call, claimTimeoutMs, () => this.#onUnclaimed(call));
    return publishOffer(bus, pool, offer, traceHeaders(call.trace));
  }

  #unlessClaimed(call: LiveCall, afterMs: number, action: () => Promise<void>): void {
    this.#stopTimer(call);
    const timer = setTimeout(() => {
      this.#unclaimed.delete(call);
      void context.with(call.trace, action);
    }, afterMs);
    this.#unclaimed.set(call, timer);
  }

  #stopTimer(call: LiveCall): void {
    clearTimeout(this.#unclaimed.get(call));
    this.#unclaimed.delete(call);
  }

  async #onUnclaimed(call: LiveCall): Promise<void> {
    if (call.endedAt !== undefined) {
      this.settle(call, 'hung-up');
      this.#unlessClaimed(call, LATE_CLAIM_MS, () => this.#record(call, { endedBy: 'caller' }));
      return;
    }
    this.#options.log.error({ call: call.id }, 'call.not-claimed');
    await this.#sendAway(call, NO_WORKER, 'not-claimed');
  }

  /** Of a call that no worker has. */
  async #sendAway(call: LiveCall, status: string, why: 'not-claimed' | 'draining'): Promise<void> {
    this.settle(call, 'given-back');
    call.released = true;
    givenBackCalls.count(why);
    const returned = await this.#dialplan.send(call, status);
    if (returned === 'left') return;
    const endedBy = call.knownOffer?.dial ? 'unanswered' : 'dialplan';
    await this.#record(call, returned === 'back' ? { endedBy, status } : { endedBy: 'caller' });
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
      await context.with(call.trace, () => writeCallRecord(bus, record));
      this.forget(call);
      log.info({ call: call.id, ...end }, 'call.ended-without-worker');
    } catch (error) {
      log.error({ call: call.id, err: error }, 'call.record-failed');
    }
  }
}

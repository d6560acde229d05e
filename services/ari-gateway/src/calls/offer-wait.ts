import { tracer } from '@callfleet/telemetry';
import type { Span } from '@opentelemetry/api';
import { type FiledFor, measureOfferWait } from '../telemetry/metrics.ts';
import type { LiveCall } from './live-call.ts';

/** What became of an offer that was filed. `replaced`: the call was offered anew. */
type WaitOutcome = 'claimed' | 'given-back' | 'hung-up' | 'cancelled' | 'not-filed' | 'replaced' | 'left';

/** An offer from its filing until a worker claims the call, or nobody does: what the caller waits for. */
export class OfferWait {
  readonly #reason: FiledFor;
  readonly #since = performance.now();
  readonly #span: Span;

  constructor({ id, trace }: LiveCall, reason: FiledFor) {
    this.#reason = reason;
    this.#span = tracer.startSpan(
      'offer wait',
      { attributes: { 'callfleet.call': id, 'callfleet.reason': reason } },
      trace,
    );
  }

  /** So far, milliseconds. */
  get ms(): number {
    return performance.now() - this.#since;
  }

  end(outcome: WaitOutcome): void {
    if (outcome === 'claimed') measureOfferWait(this.#reason, this.ms);
    this.#span.setAttribute('callfleet.outcome', outcome);
    this.#span.end();
  }
}

import type { Attributes, Context, Link, SpanKind } from '@opentelemetry/api';
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

/** A span that has it, and is true, is exported whatever its trace is: of a call that failed. */
const FAILED = 'callfleet.failed';

/** Decides by the call: where its trace begins by its id, everywhere else as was decided there. What tells of a failed call always passes. */
export class CallSampler implements Sampler {
  readonly #byTrace: Sampler;

  /** @param ratio of calls, 0..1 */
  constructor(ratio: number) {
    this.#byTrace = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }

  shouldSample(
    parent: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (attributes[FAILED] === true) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    return this.#byTrace.shouldSample(parent, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `CallSampler{${this.#byTrace.toString()}}`;
  }
}

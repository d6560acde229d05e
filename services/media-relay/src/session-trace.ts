import type { CallId } from '@callfleet/identity';
import { tracer } from '@callfleet/telemetry';
import { type Attributes, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Moment } from './conversation-times.ts';
import type { SessionEvent } from './media-session.ts';

type Ended = Extract<SessionEvent, { type: 'ended' }>;

/** What a session ends by when nothing went wrong. */
const GOOD_ENDS: ReadonlySet<Ended['reason']> = new Set(['closed', 'provider-ended', 'relay-stopped']);

/** A media session in its call's trace: a span for all of it, and under it one for each time that somebody spoke. No words are in it. */
export class SessionTrace {
  readonly #names: Attributes;
  readonly #span: Span;
  readonly #openedAt = Date.now();

  /** Made while the request that opens the session is handled, so in its trace. */
  constructor(call: CallId, session: string) {
    this.#names = { 'callfleet.call': call, 'callfleet.session': session };
    this.#span = tracer.startSpan('media session', { attributes: this.#names });
  }

  note(event: SessionEvent): void {
    switch (event.type) {
      case 'started':
        this.#span.setAttribute('gen_ai.provider.name', event.provider);
        this.#span.addEvent('media.started');
        break;
      case 'tool-call':
        this.#span.addEvent('tool-call', { 'gen_ai.tool.name': event.name, 'gen_ai.tool.call.id': event.id });
        break;
      case 'tool-call-cancelled':
        this.#span.addEvent('tool-call-cancelled', { 'gen_ai.tool.call.id': event.id });
        break;
      case 'ended':
        this.#end(event);
        break;
    }
  }

  add(moment: Moment): void {
    if (moment.type === 'barge-in') {
      const { atMs, tookMs, unplayedMs } = moment;
      const attributes = { 'callfleet.took_ms': tookMs, 'callfleet.unplayed_ms': unplayedMs };
      this.#span.addEvent('barge-in', attributes, this.#openedAt + atMs);
      return;
    }
    const { type, startMs, endMs, ...more } = moment;
    const attributes = { ...this.#names, ...('interrupted' in more && { 'callfleet.interrupted': more.interrupted }) };
    const within = trace.setSpan(context.active(), this.#span);
    tracer
      .startSpan(type, { attributes, startTime: this.#openedAt + startMs }, within)
      .end(this.#openedAt + Math.max(startMs, endMs));
  }

  #end({ reason, code, stats }: Ended): void {
    const { inputTokens, outputTokens } = stats.usage;
    this.#span.setAttributes({
      'callfleet.reason': reason,
      'gen_ai.provider.name': stats.provider,
      ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
      ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
    });
    if (!GOOD_ENDS.has(reason)) {
      this.#span.setAttribute('error.type', code ?? reason);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
    }
    this.#span.end();
  }
}

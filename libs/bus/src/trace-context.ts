import { headers, type MsgHdrs } from '@nats-io/transport-node';
import {
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import type { HeaderFields } from './event-headers.ts';

const setter: TextMapSetter<MsgHdrs> = { set: (carrier, key, value) => carrier.set(key, value) };
const getter: TextMapGetter<MsgHdrs> = {
  keys: (carrier) => carrier.keys(),
  get: (carrier, key) => carrier.get(key) || undefined,
};

/** What each context becomes: a call's is asked for with every event of it. */
const fieldsOf = new WeakMap<Context, HeaderFields>();

/** Header fields that carry W3C trace context, so that one call is one trace through all services. */
export function traceFields(from: Context = context.active()): HeaderFields {
  let fields = fieldsOf.get(from);
  if (!fields) {
    const carrier = headers();
    propagation.inject(from, carrier, setter);
    fields = carrier.keys().map((key) => [key, carrier.get(key)] as const);
    fieldsOf.set(from, fields);
  }
  return fields;
}

/** The same as message headers. */
export function traceHeaders(from: Context = context.active()): MsgHdrs {
  const carrier = headers();
  for (const [key, value] of traceFields(from)) carrier.set(key, value);
  return carrier;
}

/** The trace context that a message came with; the active one where it has none. */
export function contextOf(message: { headers?: MsgHdrs | undefined }): Context {
  return message.headers ? propagation.extract(context.active(), message.headers, getter) : context.active();
}

const TRACEPARENT = 'traceparent';

/** W3C's traceparent of a context, to be kept in a message's body; undefined of one that is in no trace. */
export function traceparentOf(from: Context): string | undefined {
  return traceFields(from).find(([key]) => key === TRACEPARENT)?.[1];
}

/** Links to where a traceparent was made: none if it is none. */
export function linksTo(traceparent: string | undefined): Link[] {
  const span = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, { [TRACEPARENT]: traceparent ?? '' }));
  return span ? [{ context: span }] : [];
}

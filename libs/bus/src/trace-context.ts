import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type Context, context, propagation, type TextMapGetter, type TextMapSetter } from '@opentelemetry/api';

const setter: TextMapSetter<MsgHdrs> = { set: (carrier, key, value) => carrier.set(key, value) };
const getter: TextMapGetter<MsgHdrs> = {
  keys: (carrier) => carrier.keys(),
  get: (carrier, key) => carrier.get(key) || undefined,
};

/** What each context becomes: a call's is asked for with every event of it. */
const fieldsOf = new WeakMap<Context, ReadonlyArray<readonly [key: string, value: string]>>();

/** Message headers that carry W3C trace context, so that one call is one trace through all services. */
export function traceHeaders(from: Context = context.active()): MsgHdrs {
  const carrier = headers();
  const known = fieldsOf.get(from);
  if (known) for (const [key, value] of known) carrier.set(key, value);
  else {
    propagation.inject(from, carrier, setter);
    fieldsOf.set(
      from,
      carrier.keys().map((key) => [key, carrier.get(key)]),
    );
  }
  return carrier;
}

/** The trace context that a message came with; the active one where it has none. */
export function contextOf(message: { headers?: MsgHdrs | undefined }): Context {
  return message.headers ? propagation.extract(context.active(), message.headers, getter) : context.active();
}

import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { type Context, context, propagation, type TextMapGetter, type TextMapSetter } from '@opentelemetry/api';

const setter: TextMapSetter<MsgHdrs> = { set: (carrier, key, value) => carrier.set(key, value) };
const getter: TextMapGetter<MsgHdrs> = {
  keys: (carrier) => carrier.keys(),
  get: (carrier, key) => carrier.get(key) || undefined,
};

/** Message headers that carry W3C trace context, so that one call is one trace through all services. */
export function traceHeaders(from: Context = context.active()): MsgHdrs {
  const carrier = headers();
  propagation.inject(from, carrier, setter);
  return carrier;
}

/** The trace context that a message came with; the active one where it has none. */
export function contextOf(message: { headers?: MsgHdrs | undefined }): Context {
  return message.headers ? propagation.extract(context.active(), message.headers, getter) : context.active();
}

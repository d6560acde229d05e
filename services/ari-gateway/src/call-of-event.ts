import { type AriEvent, idsOfEvent, type UnknownAriEvent } from '@callfleet/ari';
import { type CallId, callIdOf, callOfResource, partsOfCallId } from '@callfleet/identity';

/** What comes in on a shard's socket: of a type that we know, or of a newer Asterisk. */
export type IncomingEvent = AriEvent | UnknownAriEvent;

/**
 * The call that an ARI event belongs to, from the ids in it alone: one of our own ids carries its call, and a channel
 * that came from outside is the call. Undefined for events of nothing that a call has (device states and the like).
 */
export function callOfEvent(pbx: string, event: IncomingEvent): CallId | undefined {
  const { channels, bridges, playbacks, recordings } = idsOfEvent(event);
  for (const id of [...channels, ...bridges, ...playbacks, ...recordings]) {
    const call = callOfResource(id);
    // Another PBX's id can come here in a header or a variable, never as the subject of an event of ours.
    if (call !== undefined && partsOfCallId(call)?.pbx === pbx) return call;
  }
  const [channel] = channels;
  return channel === undefined ? undefined : callIdOf(pbx, channel);
}

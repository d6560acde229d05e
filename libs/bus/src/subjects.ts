import { type CallId, encodeToken } from '@callfleet/identity';

/** Every subject that Callfleet uses. A call is two tokens, so that a stream can be split by PBX. */
export const subjects = {
  /** Events of one call, from gateways and relays (stream CALLS). */
  callEvents: (call: CallId) => `cf.call.${call}.ev`,
  /** The journal of one call's program (stream CALLS). */
  callJournal: (call: CallId) => `cf.call.${call}.journal`,
  /** Answered by a worker as long as it lives. */
  worker: (worker: string) => `cf.worker.${encodeToken(worker)}`,
  /** Offers of calls that want a worker (stream OFFERS). */
  offers: (pool: string) => `cf.offer.${encodeToken(pool)}`,
  /** Commands to the gateway that holds a shard (request and reply). */
  commands: (pbx: string, shard: string) => `cf.cmd.${pbx}.${encodeToken(shard)}`,
  /** Requests to one relay (request and reply). */
  relay: (relay: string) => `cf.relay.${encodeToken(relay)}`,
  /** Where relays announce their zone, room and load. */
  relayAnnouncements: 'cf.relays',
  /** The record of one finished call (stream CDRS). */
  cdr: (call: CallId) => `cf.cdr.${call}`,
} as const;

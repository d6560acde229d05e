import { type CallId, encodeToken } from '@callfleet/identity';
import type { ProgramVersion } from './program-version.ts';

/** Every subject that Callfleet uses. A call is two tokens, so that a stream can be split by PBX. */
export const subjects = {
  /** Events of one call, from gateways and relays (stream CALLS). */
  callEvents: (call: CallId) => `cf.call.${call}.ev`,
  /** The journal of one call's program (stream CALLS). */
  callJournal: (call: CallId) => `cf.call.${call}.journal`,
  /** What is to be known of a live call if its gateway dies (stream LIVE). */
  liveCall: (shard: string, call: CallId) => `cf.live.${encodeToken(shard)}.${call}`,
  /** The same, of all calls of a shard. */
  liveCalls: (pbx: string, shard: string) => `cf.live.${encodeToken(shard)}.${pbx}.*`,
  /** Answered by a worker as long as it lives. */
  worker: (worker: string) => `cf.worker.${encodeToken(worker)}`,
  /** Answered by a gateway as long as it lives. */
  gateway: (gateway: string) => `cf.gateway.${encodeToken(gateway)}`,
  /** Shards that other gateways hand over to this one (request and reply). */
  handOvers: (gateway: string) => `cf.gateway.${encodeToken(gateway)}.shards`,
  /** Offers of new calls, which want any worker (stream OFFERS). */
  offers: (pool: string) => `cf.offer.${encodeToken(pool)}`,
  /** Offers of calls that lost their worker, and want one with that very program (stream OFFERS). */
  takeovers: (pool: string, { name, version }: ProgramVersion) =>
    `cf.offer.${encodeToken(pool)}.${encodeToken(`${name}@${version}`)}`,
  /** Commands to the gateway that holds a shard (request and reply). */
  commands: (pbx: string, shard: string) => `cf.cmd.${pbx}.${encodeToken(shard)}`,
  /** "Place a call on this PBX": answered by one of those who hold a shard of it, as long as its socket stands. */
  originate: (pbx: string) => `cf.originate.${pbx}`,
  /** "Cancel this call": answered by all who hold a shard of the PBX. */
  cancel: (pbx: string) => `cf.cancel.${pbx}`,
  /** Answered by the workers of a pool that have a program of this name. */
  program: (pool: string, name: string) => `cf.program.${encodeToken(pool)}.${encodeToken(name)}`,
  /** Requests to one relay (request and reply). */
  relay: (relay: string) => `cf.relay.${encodeToken(relay)}`,
  /** Whether one relay is there (request and reply). */
  relayPresence: (relay: string) => `cf.relay.${encodeToken(relay)}.there`,
  /** Where relays announce their zone, room and load. */
  relayAnnouncements: 'cf.relays',
  /** Where gateways announce how PBXs are. */
  pbxAnnouncements: 'cf.pbxs',
  /** Where gateways tell that a class of commands is not sent to a PBX any more, or is again. */
  breaker: (pbx: string) => `cf.breaker.${pbx}`,
  /** The record of one finished call (stream CDRS). */
  cdr: (call: CallId) => `cf.cdr.${call}`,
} as const;

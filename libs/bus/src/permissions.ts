import type { CallId } from '@callfleet/identity';
import { inboxPrefixOf } from './credentials.ts';
import { CALLS, CDRS, LIVE, OFFERS } from './streams.ts';
import { subjects } from './subjects.ts';

/** Each has a user of its own in NATS. `operator`: the command line (`originate`, `cancel`, `pbxs`, `doctor`). */
const natsServices = ['gateway', 'worker', 'relay', 'operator'] as const;

export type NatsService = (typeof natsServices)[number];

/** Subjects that one user may use; nothing else. Its own inboxes come on top. */
interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** How often it may answer on the reply subject of a message that it was sent; on no other. */
  readonly answers: number;
}

const ANY = 'ANY';
const anyCall = `${ANY}.${ANY}` as CallId;

/** A subject of one thing as the pattern of all of its kind. */
function all(subject: string): string {
  return subject
    .split('.')
    .map((token) => (token.includes(ANY) ? '*' : token))
    .join('.');
}

const events = all(subjects.callEvents(anyCall));
const journals = all(subjects.callJournal(anyCall));
const liveCalls = all(subjects.liveCall(ANY, anyCall));
const workers = all(subjects.worker(ANY));
const gateways = all(subjects.gateway(ANY));
const handOvers = all(subjects.handOvers(ANY));
const offers = [all(subjects.offers(ANY)), all(subjects.takeovers(ANY, { name: ANY, version: ANY }))];
const commands = all(subjects.commands(ANY, ANY));
const originates = all(subjects.originate(ANY));
const cancels = all(subjects.cancel(ANY));
const programs = all(subjects.program(ANY, ANY));
const relays = all(subjects.relay(ANY));
const relayPresences = all(subjects.relayPresence(ANY));
const breakers = all(subjects.breaker(ANY));
const records = all(subjects.cdr(anyCall));

/** JetStream's own subjects. */
const api = {
  account: '$JS.API.INFO',
  info: (stream: string) => `$JS.API.STREAM.INFO.${stream}`,
  create: (stream: string) => `$JS.API.STREAM.CREATE.${stream}`,
  update: (stream: string) => `$JS.API.STREAM.UPDATE.${stream}`,
  purge: (stream: string) => `$JS.API.STREAM.PURGE.${stream}`,
  /** Any message of the stream: which subjects are asked for is in the question, where permissions do not look. */
  read: (stream: string) => `$JS.API.DIRECT.GET.${stream}`,
  readLast: (stream: string, subject: string) => `$JS.API.DIRECT.GET.${stream}.${subject}`,
  /** Of the stream's leader. */
  readFromLeader: (stream: string) => `$JS.API.STREAM.MSG.GET.${stream}`,
  consume: (stream: string, filters: readonly string[]) => [
    ...filters.map((filter) => `$JS.API.CONSUMER.CREATE.${stream}.*.${filter}`),
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.ACK.${stream}.>`,
  ],
} as const;

/** Each shard that a gateway holds answers whether it has the call that is to be cancelled. More than anybody has. */
const SHARDS_OF_A_PBX = 64;

const STREAMS = [CALLS, LIVE, OFFERS, CDRS];

/** What each service's user may do: all that the service does, and no more. */
const natsPermissions: Readonly<Record<NatsService, NatsPermissions>> = {
  gateway: {
    publish: [
      ...[events, liveCalls, ...offers],
      // Of calls that have no worker at their end.
      records,
      ...[workers, gateways, handOvers, programs],
      ...[subjects.pbxAnnouncements, breakers],
      api.account,
      ...STREAMS.flatMap((stream) => [api.info(stream), api.create(stream), api.update(stream)]),
      ...[api.purge(LIVE), api.read(LIVE), api.read(CALLS)],
    ],
    subscribe: [commands, originates, cancels, gateways, handOvers, subjects.pbxAnnouncements],
    answers: SHARDS_OF_A_PBX,
  },
  worker: {
    publish: [
      ...[journals, records, commands, relays, relayPresences, workers],
      ...[api.account, api.info(CALLS), api.info(OFFERS), api.info(CDRS)],
      ...[api.read(CALLS), api.readFromLeader(CALLS)],
      ...api.consume(OFFERS, offers),
    ],
    subscribe: [events, workers, programs, subjects.relayAnnouncements],
    answers: 1,
  },
  relay: {
    publish: [events, subjects.relayAnnouncements, api.account, api.info(CALLS)],
    subscribe: [relays, relayPresences, subjects.pbxAnnouncements],
    answers: 1,
  },
  operator: {
    publish: [
      ...[originates, cancels, api.account],
      // What became of the call; with `nats stream get` anything of a call, and of the records.
      ...[api.read(CALLS), api.read(CDRS), api.readLast(CDRS, records)],
      ...STREAMS.map(api.info),
    ],
    subscribe: [events, records, subjects.pbxAnnouncements, breakers, subjects.relayAnnouncements],
    answers: 0,
  },
};

/** Longer than any question waits for its answer. */
const ANSWER_WITHIN = '1m';

/** The block `authorization` of nats-server's configuration, which takes JSON. */
export interface NatsAuthorization {
  readonly users: readonly object[];
}

/**
 * The users for nats-server's configuration.
 *
 * @param publicKeyOf the public part of a service's nkey (`UB3...`)
 */
export function natsAuthorization(publicKeyOf: (service: NatsService) => string): NatsAuthorization {
  return {
    users: natsServices.map((service) => {
      const { publish, subscribe, answers } = natsPermissions[service];
      const nkey = publicKeyOf(service);
      return {
        nkey,
        permissions: {
          publish: { allow: publish },
          subscribe: { allow: [...subscribe, `${inboxPrefixOf(nkey)}.>`] },
          ...(answers > 0 && { allow_responses: { max: answers, expires: ANSWER_WITHIN } }),
        },
      };
    }),
  };
}

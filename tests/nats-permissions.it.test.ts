import { setTimeout as wait } from 'node:timers/promises';
import {
  ask,
  type Bus,
  BusError,
  CallEventFeed,
  callHistory,
  connectBus,
  ensureStreams,
  storedMessages,
  subjects,
} from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createFleetSecrets, type FleetSecrets } from './fleet-secrets.ts';

const SERVICES = ['gateway', 'worker', 'relay', 'operator'] as const;
type ServiceName = (typeof SERVICES)[number];
const STREAMS = ['CALLS', 'LIVE', 'OFFERS', 'CDRS'];

let secrets: FleetSecrets;
let nats: NatsServer;
const refused: BusError[] = [];
const buses = {} as Record<ServiceName, Bus>;

beforeAll(async () => {
  secrets = await createFleetSecrets();
  nats = await startNatsServer({ config: secrets.authorization });
  for (const service of SERVICES) buses[service] = await connect(service);
  await ensureStreams(buses.gateway);
});
afterAll(async () => {
  for (const bus of Object.values(buses)) await bus.close();
  await Promise.all([nats?.stop(), secrets?.remove()]);
});

function connect(service: ServiceName): Promise<Bus> {
  return connectBus({
    servers: [nats.url],
    name: service,
    nkeyFile: secrets.nkeyFile(service),
    onForbidden: (error) => refused.push(error),
  });
}

/** Those of these subjects that NATS does not refuse when they are used. A connection of its own, whose refusals are all seen. */
async function allowed(service: ServiceName, names: readonly string[], use: (bus: Bus, subject: string) => void) {
  const bus = await connect(service);
  const no = new Set<string>();
  void (async () => {
    for await (const status of bus.nc.status())
      if (status.type === 'error') no.add(/to "([^"]+)"/.exec(status.error.message)?.[1] ?? status.error.message);
  })();
  for (const name of names) use(bus, name);
  // NATS answers in order; what it says is told a turn later.
  await bus.nc.flush();
  await wait(10);
  await bus.nc.close();
  for (const name of no) expect(names).toContain(name);
  return names.filter((name) => !no.has(name));
}

const call = callIdOf('pbx-a', '1763701200.1');
const version = { name: 'ivr', version: '1' };

/** One of each kind, by what it is. */
const OURS = {
  events: subjects.callEvents(call),
  journal: subjects.callJournal(call),
  live: subjects.liveCall('callfleet-1', call),
  worker: subjects.worker('worker-1'),
  gateway: subjects.gateway('gateway-1'),
  'hand-over': subjects.handOvers('gateway-1'),
  offer: subjects.offers('default'),
  takeover: subjects.takeovers('default', version),
  command: subjects.commands('pbx-a', 'callfleet-1'),
  originate: subjects.originate('pbx-a'),
  cancel: subjects.cancel('pbx-a'),
  program: subjects.program('default', 'ivr'),
  relay: subjects.relay('relay-1'),
  'relay presence': subjects.relayPresence('relay-1'),
  relays: subjects.relayAnnouncements,
  pbxs: subjects.pbxAnnouncements,
  breaker: subjects.breaker('pbx-a'),
  record: subjects.cdr(call),
  'anything else': 'cf.else',
  'any call': 'cf.call.pbx-a.1.else',
  "another program's": 'else',
  'the server': '$SYS.REQ.SERVER.PING',
};

/** What can be asked of JetStream about one stream. */
function apiOf(stream: string, subject: string): Record<string, string> {
  const api = (op: string, ...more: string[]) => ['$JS.API', op, stream, ...more].join('.');
  return {
    [`${stream} info`]: api('STREAM.INFO'),
    [`${stream} create`]: api('STREAM.CREATE'),
    [`${stream} update`]: api('STREAM.UPDATE'),
    [`${stream} delete`]: api('STREAM.DELETE'),
    [`${stream} purge`]: api('STREAM.PURGE'),
    [`${stream} snapshot`]: api('STREAM.SNAPSHOT'),
    [`${stream} restore`]: api('STREAM.RESTORE'),
    [`${stream} remove a message`]: api('STREAM.MSG.DELETE'),
    [`${stream} read from leader`]: api('STREAM.MSG.GET'),
    [`${stream} read`]: api('DIRECT.GET'),
    [`${stream} read last`]: api('DIRECT.GET', subject),
    [`${stream} consume`]: api('CONSUMER.CREATE', 'name', subject),
    [`${stream} consume all`]: api('CONSUMER.CREATE', 'name'),
    [`${stream} consume unnamed`]: api('CONSUMER.CREATE'),
    [`${stream} consume durably`]: api('CONSUMER.DURABLE.CREATE', 'name'),
    [`${stream} consumer info`]: api('CONSUMER.INFO', 'name'),
    [`${stream} next`]: api('CONSUMER.MSG.NEXT', 'name'),
    [`${stream} remove a consumer`]: api('CONSUMER.DELETE', 'name'),
    [`${stream} acknowledge`]: `$JS.ACK.${stream}.name.1.1.1.1763701200000000000.0`,
  };
}

const API = {
  account: '$JS.API.INFO',
  'list streams': '$JS.API.STREAM.LIST',
  'name streams': '$JS.API.STREAM.NAMES',
  ...apiOf('CALLS', OURS.events),
  ...apiOf('LIVE', OURS.live),
  ...apiOf('OFFERS', OURS.offer),
  ...apiOf('CDRS', OURS.record),
  ...apiOf('ELSE', 'else'),
};

/** Everything that a service may do with NATS: more is too much, less breaks it. */
const MAY: Record<ServiceName, { tell: string[]; ask: string[]; hear: string[] }> = {
  gateway: {
    tell: 'events,live,worker,gateway,hand-over,offer,takeover,program,pbxs,breaker,record'.split(','),
    ask: [
      'account',
      ...STREAMS.flatMap((stream) => [`${stream} info`, `${stream} create`, `${stream} update`]),
      ...['CALLS read', 'LIVE read', 'LIVE purge'],
    ],
    hear: 'gateway,hand-over,command,originate,cancel,pbxs'.split(','),
  },
  worker: {
    tell: 'journal,worker,command,relay,relay presence,record'.split(','),
    ask: [
      ...['account', 'CALLS info', 'OFFERS info', 'CDRS info', 'CALLS read', 'CALLS read from leader'],
      ...['OFFERS consume', 'OFFERS consumer info', 'OFFERS next', 'OFFERS acknowledge'],
    ],
    hear: 'events,worker,program,relays'.split(','),
  },
  relay: {
    tell: ['events', 'relays'],
    ask: ['account', 'CALLS info'],
    hear: ['relay', 'relay presence', 'pbxs'],
  },
  operator: {
    tell: ['originate', 'cancel'],
    ask: ['account', ...STREAMS.map((stream) => `${stream} info`), 'CALLS read', 'CDRS read', 'CDRS read last'],
    hear: ['events', 'relays', 'pbxs', 'breaker', 'record'],
  },
};

describe.each(SERVICES)('NATS lets a %s', (service) => {
  const namesOf = (all: Record<string, string>, found: readonly string[]) =>
    Object.keys(all).filter((name) => found.includes(all[name] as string));

  test('tell this and nothing else', async () => {
    const found = await allowed(service, Object.values(OURS), ({ nc }, subject) => nc.publish(subject, '{}'));
    expect(namesOf(OURS, found).sort()).toEqual(MAY[service].tell.sort());
  });

  test('ask JetStream this and nothing else', async () => {
    // The question is no question: only whether it is passed on is seen.
    const found = await allowed(service, Object.values(API), ({ nc }, subject) => nc.publish(subject, 'no'));
    expect(namesOf(API, found).sort()).toEqual(MAY[service].ask.sort());
  });

  test('hear this and nothing else: no wildcard over it, and no inbox but its own', async () => {
    const listen = ({ nc }: Bus, subject: string) => void nc.subscribe(subject, { callback: () => {} });
    const found = await allowed(service, Object.values(OURS), listen);
    expect(namesOf(OURS, found).sort()).toEqual(MAY[service].hear.sort());
    const inboxes = SERVICES.map((one) => `${buses[one].inboxPrefix}.>`);
    const others = ['>', 'cf.>', 'cf.call.>', 'cf.*', '*.>', '_INBOX.>', '$JS.>', '$JS.ACK.>', '$SYS.>'];
    expect(await allowed(service, [...inboxes, ...others], listen)).toEqual([`${buses[service].inboxPrefix}.>`]);
  });
});

describe('NATS', () => {
  test('a worker that is taken over can not tell an event, and is told so at once', async () => {
    const before = (await buses.gateway.jsm.streams.info('CALLS')).state.messages;
    await expect(buses.worker.js.publish(OURS.events, '{}')).rejects.toThrow(/Permissions Violation/);
    expect((await buses.gateway.jsm.streams.info('CALLS')).state.messages).toBe(before);
    expect(refused.map(({ code, message }) => `${code} ${message}`)).toContainEqual(
      expect.stringMatching(/^CF_NATS_FORBIDDEN NATS refuses the nkey U\w+: it may not publish to cf\.call\.pbx-a\./),
    );
  });

  test('nor can it have JetStream tell one for it, by an answer that is sent to an event’s subject', async () => {
    const call = callIdOf('pbx-a', '1763701200.3');
    const own = subjects.callJournal(call);
    const forged = { id: 'x', call, source: 'gateway-1', seq: 1, at: '', type: 'ari.ChannelDestroyed', data: {} };
    await buses.worker.js.publish(own, JSON.stringify(forged), { msgID: 'x' });
    const [told, bad]: [unknown[], unknown[]] = [[], []];
    const feed = await CallEventFeed.open(buses.worker, call, {
      onEvent: (event) => told.push(event),
      onBadMessage: (error) => bad.push(error),
    });
    for (const more of [{}, { no_hdr: true }])
      buses.worker.nc.publish('$JS.API.DIRECT.GET.CALLS', JSON.stringify({ last_by_subj: own, ...more }), {
        reply: subjects.callEvents(call),
      });
    // NATS stores them; nobody believes them.
    await expect.poll(() => bad.map(String)).toHaveLength(2);
    expect(bad.map(String)).toContainEqual(expect.stringContaining('nobody published this'));
    expect(told).toEqual([]);
    expect(await callHistory(buses.gateway, call)).toEqual([]);
    feed.close();
  });

  test('a relay can not read journals, nor events, nor follow them', async () => {
    const told = subjects.callJournal(callIdOf('pbx-a', '1763701200.2'));
    await buses.worker.js.publish(told, '{"secret":1}', { msgID: told });
    const read = async (bus: Bus) => {
      const found: string[] = [];
      for await (const { data } of storedMessages(bus, told)) found.push(Buffer.from(data).toString());
      return found;
    };
    expect(await read(buses.worker)).toEqual(['{"secret":1}']);
    await expect(read(buses.relay)).rejects.toThrow();
    await expect(callHistory(buses.relay, call)).rejects.toThrow();
  });

  test('a gateway can not write what a program was told', async () => {
    await expect(buses.gateway.js.publish(OURS.journal, '{}')).rejects.toThrow(/Permissions Violation/);
  });

  test('a question that may not be asked is refused at once, not when its time is over', async () => {
    const asked = ask(buses.relay, OURS.command, {}, { reply: z.object({}), timeoutMs: 20_000 });
    await expect(asked).rejects.toMatchObject({ code: 'CF_NATS_FORBIDDEN' });
  });

  test('a user that the server does not know for a while is back when it is known again', async () => {
    const strangers = await createFleetSecrets();
    const other = await startNatsServer({ config: secrets.authorization });
    const told: string[] = [];
    const bus = await connectBus({
      servers: [other.url],
      name: 'test',
      nkeyFile: secrets.nkeyFile('worker'),
      onForbidden: ({ code, message }) => told.push(`${code} ${message}`),
    });
    try {
      await other.reconfigure(strangers.authorization);
      // Refused twice and more.
      await expect.poll(() => bus.awayMs() ?? 0, { timeout: 5000 }).toBeGreaterThan(1500);
      expect(told, 'once').toEqual([expect.stringMatching(/^CF_NATS_UNAUTHORIZED NATS does not know the nkey U/)]);
      await other.reconfigure(secrets.authorization);
      await expect.poll(() => bus.awayMs(), { timeout: 5000 }).toBeUndefined();
    } finally {
      await bus.close();
      await other.stop();
      await strangers.remove();
    }
  });

  test.each([
    ['no credentials', {}],
    ['the name of a service, without its key', { user: 'gateway', password: 'gateway' }],
  ])('who has %s is refused with one clear error', async (_, credentials) => {
    const connecting = connectBus({ servers: [nats.url], name: 'test', ...credentials });
    await expect(connecting).rejects.toMatchObject({
      code: 'CF_NATS_UNAUTHORIZED',
      message: expect.stringMatching(/nats\.nkeyFile/),
    });
  });

  test('a user that may do nothing is one clear error at the start', async () => {
    const config = 'authorization { users: [{ user: a, password: b, permissions: { publish: "x", subscribe: "x" } }] }';
    const other = await startNatsServer({ config });
    try {
      const connecting = connectBus({ servers: [other.url], name: 'test', user: 'a', password: 'b' });
      await expect(connecting).rejects.toBeInstanceOf(BusError);
      await expect(connecting).rejects.toMatchObject({
        code: 'CF_NATS_FORBIDDEN',
        message: expect.stringContaining('NATS refuses the user a: it may not'),
      });
    } finally {
      await other.stop();
    }
  });
});

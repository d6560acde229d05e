import {
  ask,
  type Bus,
  connectBus,
  ensureStreams,
  type RelayReply,
  type RelayRequest,
  relayReplySchema,
  subjects,
} from '@callfleet/bus';
import { callIdOf, resourceId } from '@callfleet/identity';
import { connectRedis, type LeaseRedis } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import {
  type NatsServer,
  type RedisServer,
  startGeminiServer,
  startNatsServer,
  startRedisServer,
} from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ProviderPlaces } from './provider-places.ts';
import { startRelayProcess } from './relay-process.ts';

let redis: RedisServer;
const closing: Array<() => unknown> = [];

beforeAll(async () => {
  redis = await startRedisServer();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => redis?.stop());

type OpenRequest = Extract<RelayRequest, { op: 'open' }>;

let calls = 0;

/** Of a new call; `options` say by which key. */
function openRequest(options: Record<string, unknown> = {}, name = 'openai'): OpenRequest {
  calls += 1;
  const call = callIdOf('pbx-a', `1763701200.${calls}`);
  return {
    op: 'open',
    session: resourceId(call, 'media', 1),
    call,
    epoch: 1,
    pbx: 'pbx-a',
    provider: { name, options },
  };
}

const LEG = { external_host: '', encapsulation: 'rtp', transport: 'udp', connection_type: 'client', format: 'ulaw' };
const opened = async () => ({ ok: true, externalMedia: LEG }) as RelayReply;
const full = { ok: false, code: 'CF_PROVIDER_FULL' };

describe('the places with a voice AI', () => {
  /** As of relays that share keys. A key of its own for each test. */
  async function relays(count: number, limits: Record<string, { maxSessions: number }>) {
    const log = createLogger('media-relay', 'test', { level: 'silent', format: 'json' });
    calls += 1;
    const key = `TEST_${calls}_KEY`;
    const clients: LeaseRedis[] = [];
    const places: ProviderPlaces[] = [];
    for (let n = 0; n < count; n += 1) {
      const client = await connectRedis(redis.url, { name: `relay-${n}`, onError: () => {} });
      const one = new ProviderPlaces({ limits, redis: client, log, answerWithinMs: 200 });
      closing.push(
        () => one.close(),
        () => client.disconnect(),
      );
      clients.push(client);
      places.push(one);
    }
    return { places: places as [ProviderPlaces, ProviderPlaces], clients: clients as [LeaseRedis, LeaseRedis], key };
  }

  test('are as many for each key as are configured, over all relays', async () => {
    const { places, key } = await relays(2, { openai: { maxSessions: 3 } });
    const requests = Array.from({ length: 10 }, () => openRequest({ key }));
    const replies = await Promise.all(requests.map((request, n) => places[n % 2 ? 1 : 0].counted(request, opened)));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(3);
    const refused = replies.find(({ ok }) => !ok);
    expect(refused).toMatchObject(full);
    expect(JSON.stringify(refused)).toContain(
      `openai by the key ${key} as may (relay.providers.openai.maxSessions: 3)`,
    );
    // Another key is another account, and another provider goes by no limit.
    expect(await places[0].counted(openRequest({ key: `OTHER_${key}` }), opened)).toMatchObject({ ok: true });
    expect(await places[0].counted(openRequest({ key }, 'deepgram'), opened)).toMatchObject({ ok: true });
  });

  test('are free again when a conversation is over, or never began', async () => {
    const { places, key } = await relays(2, { openai: { maxSessions: 1 } });
    const failed: RelayReply = { ok: false, code: 'CF_RELAY_FULL', message: 'full' };
    expect(await places[0].counted(openRequest({ key }), async () => failed)).toEqual(failed);
    const first = openRequest({ key });
    await expect.poll(() => places[0].counted(first, opened)).toMatchObject({ ok: true });
    expect(await places[0].counted(first, opened), 'a repeat').toMatchObject({ ok: true });
    expect(await places[1].counted(openRequest({ key }), opened)).toMatchObject(full);
    places[0].leave(first.session);
    await expect.poll(() => places[1].counted(openRequest({ key }), opened)).toMatchObject({ ok: true });
  });

  test('go with a conversation that is moved from a relay that died or stops', async () => {
    const { places, key } = await relays(2, { openai: { maxSessions: 1 } });
    const first = openRequest({ key });
    await places[0].counted(first, opened);
    const next = { ...first, session: resourceId(first.call, 'media', 101_001), conversation: first.session };
    places[0].leave(first.session, 'relay-stopped');
    expect(await places[1].counted(openRequest({ key }), opened)).toMatchObject(full);
    expect(await places[1].counted(next, opened)).toMatchObject({ ok: true });
    places[1].leave(next.session);
    await expect.poll(() => places[1].counted(openRequest({ key }), opened)).toMatchObject({ ok: true });
  });

  test('are counted by each relay alone while Redis is away', async () => {
    const { places, clients, key } = await relays(1, { openai: { maxSessions: 2 } });
    vi.spyOn(clients[0], 'takeTrunkPlace').mockReturnValue(new Promise(() => {}));
    for (let n = 0; n < 2; n += 1)
      expect(await places[0].counted(openRequest({ key }), opened)).toMatchObject({ ok: true });
    expect(await places[0].counted(openRequest({ key }), opened)).toMatchObject(full);
  });

  test('are not configured for a provider that does not exist', async () => {
    await expect(relays(1, { opnai: { maxSessions: 2 } })).rejects.toThrow('relay.providers.opnai: there is no such');
  });
});

describe('two relays that share a key', () => {
  let nats: NatsServer;
  let bus: Bus;
  beforeAll(async () => {
    nats = await startNatsServer();
    bus = await connectBus({ servers: [nats.url], name: 'test' });
    await ensureStreams(bus);
  });
  afterAll(async () => {
    await bus?.close();
    await nats?.stop();
  });

  async function startRelay(zone: string, portMin: number): Promise<string> {
    const { process, relay } = await startRelayProcess(bus, zone, {
      CALLFLEET_NATS__SERVERS: JSON.stringify([nats.url]),
      CALLFLEET_REDIS__URL: redis.url,
      CALLFLEET_PBXS: JSON.stringify([{ name: 'pbx-a', url: 'http://127.0.0.1:1', username: 'a', password: 'b' }]),
      CALLFLEET_RELAY__RTP__PORT_MIN: `${portMin}`,
      CALLFLEET_RELAY__RTP__PORT_MAX: `${portMin + 50}`,
      CALLFLEET_RELAY__PROVIDERS: JSON.stringify({ gemini: { maxSessions: 1 } }),
      CALLFLEET_RELAY__ATTACH_TIMEOUT_MS: '60000',
      SHARED_KEY: 'local-key',
    });
    closing.push(() => process.stop());
    return relay;
  }

  const send = (relay: string, request: RelayRequest) =>
    ask(bus, subjects.relay(relay), request, { reply: relayReplySchema, timeoutMs: 5000 });

  test('refuse a conversation that would be one too many, and take it when one has ended', async () => {
    const one = await startRelay('one', 26_200);
    const two = await startRelay('two', 26_300);
    const ai = await startGeminiServer();
    closing.push(() => ai.stop());
    const options = { key: 'SHARED_KEY', url: ai.url };
    const first = openRequest(options, 'gemini');
    expect(await send(one, first)).toMatchObject({ ok: true });
    expect(await send(two, openRequest(options, 'gemini'))).toMatchObject(full);
    const { session, call, epoch } = first;
    await send(one, { op: 'close', session, call, epoch, reason: 'hung up' });
    await expect.poll(() => send(two, openRequest(options, 'gemini'))).toMatchObject({ ok: true });
    // The one that was refused never came to the AI.
    await expect.poll(() => ai.connections.length).toBe(2);
  });
});

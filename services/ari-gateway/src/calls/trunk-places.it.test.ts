import { type AriRequest, channels } from '@callfleet/ari';
import type { CommandReply, Offer } from '@callfleet/bus';
import { callIdOf, resourceId } from '@callfleet/identity';
import { connectRedis, type LeaseRedis, takeTrunkPlace } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LiveCall, LiveCalls } from './live-call.ts';
import { TrunkPlaces } from './trunk-places.ts';

const CALL = callIdOf('pbx-a', '1763701200.12');
const OK: CommandReply = { ok: true, status: 200, reason: 'OK' };

let server: RedisServer;
let redis: LeaseRedis;
let calls: LiveCalls;
let kept: number;
let places: TrunkPlaces;
let call: LiveCall;
let legs = 0;
/** What went to the PBX. */
let sent: string[];

const trunk = { name: 'trunk-a', endpoint: 'PJSIP/{number}@carrier', maxCalls: 2, callsPerSecond: undefined };
const log = createLogger('test', 'test', { level: 'silent', format: 'json' });

beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await redis.flushall();
  sent = [];
  kept = 0;
  calls = new LiveCalls();
  call = calls.get(CALL);
  call.offer = { call: CALL } as Offer;
  places = placesOf(calls);
});
afterEach(() => places.close());

function placesOf(of: LiveCalls, trunks = [trunk]) {
  return new TrunkPlaces({
    redis,
    calls: of,
    trunks,
    keep: () => {
      kept += 1;
    },
    log,
  });
}

const nextLeg = () => {
  legs += 1;
  return resourceId(CALL, 'leg', legs);
};
const create = (channelId: string, endpoint = 'PJSIP/+4930123@carrier') =>
  channels.create({ endpoint, app: 'callfleet-1', channelId });

function ask(request: AriRequest<unknown>, reply: CommandReply = OK): Promise<CommandReply> {
  return places.counted(call, request, async () => {
    sent.push(`${request.method} ${decodeURIComponent(request.path)}`);
    return reply;
  });
}

const onTrunk = () => redis.zrange('cf:trunk:{trunk-a}', '0', '-1');

test('a leg that is dialled through a trunk takes a place, once, and one too many is not dialled', async () => {
  const [a, b, c] = [nextLeg(), nextLeg(), nextLeg()];
  await ask(create(a));
  await ask(create(a));
  expect(await ask(create(b))).toEqual(OK);
  expect((await onTrunk()).sort()).toEqual([a, b].sort());
  expect(await ask(create(c))).toMatchObject({ ok: false, code: 'CF_TRUNK_FULL' });
  expect(sent).toHaveLength(3);
  expect(await ask(create(c, 'PJSIP/alice')), 'another way out').toEqual(OK);
});

test('calls that are placed and legs that programs dial are counted together', async () => {
  await takeTrunkPlace(redis, trunk, 'pbx-a.cf-out-1');
  await ask(create(nextLeg()));
  expect(await ask(create(nextLeg()))).toMatchObject({ code: 'CF_TRUNK_FULL' });
  expect(await places.take(trunk, 'pbx-a.cf-out-2')).toMatchObject({ code: 'CF_TRUNK_FULL' });
});

test("the pace is the trunk's too", async () => {
  places.close();
  places = placesOf(calls, [{ ...trunk, name: 'slow', maxCalls: 9, callsPerSecond: 0.1 } as never]);
  await ask(create(nextLeg()));
  expect(await ask(create(nextLeg()))).toMatchObject({ code: 'CF_TRUNK_TOO_FAST' });
});

test('the channel of a call that we place has its place already', async () => {
  await ask(create(call.channelId));
  expect(await onTrunk()).toEqual([]);
});

test.each([
  ['ended', (leg: string) => places.leave(call, leg)],
  ['was hung up', (leg: string) => ask(channels.hangup({ channelId: leg }))],
  [
    'was never there to be hung up',
    (leg: string) => ask(channels.hangup({ channelId: leg }), { ok: true, status: 404, reason: 'Channel not found' }),
  ],
])('a leg that %s leaves its place', async (_, end) => {
  const leg = nextLeg();
  await ask(create(leg));
  expect(await onTrunk()).toEqual([leg]);
  await end(leg);
  await expect.poll(onTrunk).toEqual([]);
  expect(kept, 'the next gateway knows of both').toBe(2);
});

test.each<[string, CommandReply, number]>([
  ['that the PBX has no way to', { ok: true, status: 500, reason: 'Allocation failed' }, 0],
  ['that was not sent', { ok: false, code: 'CF_PBX_BUSY', message: '' }, 0],
  ['that is there already', { ok: true, status: 409, reason: 'exists' }, 1],
  ['of which nobody knows whether it is there', { ok: false, code: 'CF_PBX_NO_ANSWER', message: '' }, 1],
])('a leg %s: its place', async (_, reply, left) => {
  expect(await ask(create(nextLeg()), reply)).toEqual(reply);
  await expect.poll(async () => (await onTrunk()).length).toBe(left);
});

test('the gateway that takes the shard over keeps the place, also when Redis has lost it, and leaves it at the end', async () => {
  const leg = nextLeg();
  await ask(create(leg));
  const { kept: known } = call;
  places.close();
  await redis.flushall();

  const heirs = new LiveCalls();
  const inherited = heirs.get(CALL);
  if (known) inherited.inherit(known, ROOT_CONTEXT);
  places = placesOf(heirs);
  places.keepAll();
  await expect.poll(onTrunk).toEqual([leg]);
  inherited.end();
  places.keepAll();
  expect(await onTrunk(), 'it may be there for longer than its caller').toEqual([leg]);
  places.leave(inherited, leg);
  await expect.poll(onTrunk).toEqual([]);
});

test('while Redis is away no leg is dialled through a trunk', async () => {
  const away = await connectRedis(server.url, { name: 'away', onError: () => {} });
  away.disconnect();
  places.close();
  places = new TrunkPlaces({ redis: away, calls, trunks: [trunk], keep: () => {}, log });
  expect(await ask(create(nextLeg()))).toMatchObject({ code: 'CF_TRUNK_NOT_COUNTED' });
  expect(await ask(create(nextLeg(), 'PJSIP/alice'))).toEqual(OK);
});

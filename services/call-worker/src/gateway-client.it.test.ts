import { type AriRequest, channels } from '@callfleet/ari';
import {
  answer,
  type Bus,
  type CallEvent,
  type CommandRefusal,
  type CommandReply,
  commandSchema,
  connectBus,
  subjects,
} from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { GatewayClient } from './gateway-client.ts';

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

const id = callIdOf('pbx-a', '1763701200.12');
const channelId = '1763701200.12';
const call = { id, pbx: 'pbx-a', zone: 'a', shard: 'shard' };

/** A worker's way to a gateway that answers so. */
function gatewayThat(
  execute: () => CommandReply | Promise<CommandReply>,
  { timeoutMs = 2000 }: { timeoutMs?: number } = {},
): GatewayClient {
  const taking = answer(
    bus,
    subjects.commands(call.pbx, call.shard),
    commandSchema,
    async () => execute(),
    ({ message }) => ({ ok: false as const, code: 'CF_BUS_BAD_MESSAGE' as const, message }),
  );
  onTestFinished(() => taking.unsubscribe());
  return new GatewayClient(bus, call, { what: id, owner: 'worker', epoch: 1 }, timeoutMs, async () => {}, over.signal);
}

const over = new AbortController();

const refused = (code: CommandRefusal): CommandReply => ({ ok: false, code, message: 'as it was' });

test.each<[CommandRefusal, string]>([
  ['CF_BREAKER_OPEN', 'BreakerOpenError'],
  ['CF_PBX_BUSY', 'PbxBusyError'],
  ['CF_PBX_NO_ANSWER', 'PbxUnreachableError'],
  ['CF_COMMAND_FENCED', 'CallTakenOverError'],
])('a command refused with %s is told to the program as a %s', async (code, name) => {
  let asked = 0;
  const gateway = gatewayThat(() => {
    asked += 1;
    return refused(code);
  });
  const failure = await gateway.command('1', channels.answer({ channelId })).catch((error) => error);
  expect(failure).toMatchObject({ name, message: expect.stringContaining('as it was') });
  expect(asked, 'at once').toBe(1);
});

test('a command that comes to a gateway whose shard is passing to another is sent again, to that one', async () => {
  const replies = [refused('CF_SHARD_NOT_HELD'), refused('CF_SHARD_NOT_HELD')];
  const gateway = gatewayThat(() => replies.shift() ?? { ok: true, status: 204, reason: 'No Content' });
  expect(await gateway.command('1', channels.answer({ channelId }))).toMatchObject({ status: 204 });
  expect(replies).toEqual([]);
});

test.each<[string, AriRequest<unknown>, number]>([
  ['an answer', channels.answer({ channelId }), 2],
  ['digits', channels.sendDTMF({ channelId, dtmf: '1' }), 1],
])('%s whose connection to the PBX was lost: what is done once is sent again', async (_, request, times) => {
  let asked = 0;
  const gateway = gatewayThat(() => {
    asked += 1;
    return asked === 1 ? refused('CF_PBX_CONNECTION_LOST') : { ok: true, status: 204, reason: 'No Content' };
  });
  const outcome = await gateway.command('1', request).catch((error) => error);
  expect(outcome).toMatchObject(times === 2 ? { status: 204 } : { code: 'CF_PBX_UNREACHABLE' });
  expect(asked).toBe(times);
});

test('a command that no gateway has for its whole time limit is told to have failed', async () => {
  const gateway = gatewayThat(() => refused('CF_SHARD_NOT_HELD'));
  const failure = await gateway.command('1', channels.answer({ channelId })).catch((error) => error);
  expect(failure).toMatchObject({ code: 'CF_PBX_UNREACHABLE' });
});

test('a hang-up that the PBX was spared is asked for again: nobody else would end that channel', async () => {
  const replies = [refused('CF_BREAKER_OPEN'), refused('CF_PBX_BUSY')];
  const gateway = gatewayThat(() => replies.shift() ?? { ok: true, status: 204, reason: 'No Content' });
  expect(await gateway.command('1', channels.hangup({ channelId }))).toMatchObject({ status: 204 });
});

test('a hang-up is asked for again until its time limit, and then told to have failed', async () => {
  const gateway = gatewayThat(() => refused('CF_BREAKER_OPEN'));
  const failure = await gateway.command('1', channels.hangup({ channelId })).catch((error) => error);
  expect(failure).toMatchObject({ code: 'CF_BREAKER_OPEN' });
});

test('a hang-up that may have been done is not asked for again', async () => {
  const replies = [refused('CF_PBX_NO_ANSWER')];
  const gateway = gatewayThat(() => replies.shift() ?? { ok: true, status: 204, reason: 'No Content' });
  const failure = await gateway.command('1', channels.hangup({ channelId })).catch((error) => error);
  expect(failure).toMatchObject({ code: 'CF_PBX_UNREACHABLE' });
});

/** Dies with the first command in hand; another is there for the next. */
function gatewayThatDies(): { gateway: GatewayClient; asked: () => number } {
  let asked = 0;
  const gateway = gatewayThat(
    () => {
      asked += 1;
      return asked === 1 ? new Promise<CommandReply>(() => {}) : { ok: true, status: 204, reason: 'No Content' };
    },
    { timeoutMs: 5000 },
  );
  return { gateway, asked: () => asked };
}

test('an answer that was in the hands of a gateway that died is asked for again', async () => {
  const { gateway, asked } = gatewayThatDies();
  expect(await gateway.command('1', channels.answer({ channelId }))).toMatchObject({ status: 204 });
  expect(asked()).toBe(2);
});

const play = channels.playWithId({ channelId, playbackId: 'p/1', media: ['sound:beep'] });
const dial = channels.dial({ channelId: 'leg/1' });

test.each<[string, AriRequest<unknown>]>([
  ['a media leg', channels.externalMedia({ app: 'app', external_host: '127.0.0.1:1', format: 'ulaw', channelId: 'm' })],
  ['a sound', play],
  ['a leg', channels.create({ app: 'app', endpoint: 'PJSIP/x', channelId: 'leg/1' })],
  ['a ringing', dial],
])('%s whose making was in the hands of a gateway that died is asked for again', async (_, request) => {
  const { gateway, asked } = gatewayThatDies();
  expect(await gateway.command('1', request)).toMatchObject({ status: 204 });
  expect(asked()).toBe(2);
});

const event = (type: string, data: Record<string, unknown>): CallEvent => ({
  ...{ id: type, call: id, source: 'gateway', seq: 1, at: '2026-11-22T08:00:00.000Z' },
  ...{ type, data },
});

test.each<[string, AriRequest<unknown>, CallEvent]>([
  ['a sound', play, event('ari.PlaybackStarted', { playback: { id: 'p/1' } })],
  ['a ringing', dial, event('ari.Dial', { peer: { id: 'leg/1' }, dialstatus: '' })],
])('%s that has begun is not begun again, though its answer was lost', async (_, request, begun) => {
  const { gateway, asked } = gatewayThatDies();
  const answered = gateway.command('1', request);
  await expect.poll(asked).toBe(1);
  gateway.hear(begun);
  expect(await answered).toMatchObject({ status: 200 });
  expect(asked()).toBe(1);
  expect(await gateway.command('2', channels.answer({ channelId }))).toMatchObject({ status: 204 });
});

test('what would happen twice is not asked for again: it may have been done', async () => {
  const { gateway, asked } = gatewayThatDies();
  const failure = await gateway.command('1', channels.sendDTMF({ channelId, dtmf: '1' })).catch((error) => error);
  expect(failure).toMatchObject({ code: 'CF_PBX_UNREACHABLE' });
  expect(asked()).toBe(1);
}, 10_000);

import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type SimulatedPbx, startSimulatedPbx } from './mod.ts';

let pbx: SimulatedPbx;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  pbx = await startSimulatedPbx({ applications: ['bot'], rounds: 1, fallbackMs: 0 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await pbx.stop();
});

const account = () => ({ authorization: `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}` });

async function connect(): Promise<{ socket: WebSocket; events: Array<{ type: string; timestamp: string }> }> {
  const socket = new WebSocket(`${pbx.httpUrl.replace('http', 'ws')}/ari/events?app=bot`, { headers: account() });
  sockets.push(socket);
  const events: Array<{ type: string; timestamp: string }> = [];
  socket.on('error', () => {});
  socket.on('message', (data) => events.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  return { socket, events };
}

const rest = async (method: string, path: string) =>
  (await fetch(`${pbx.httpUrl}/ari/${path}`, { method, headers: account() })).status;

test('requests fail as often as is asked for, and only where it is asked for', async () => {
  pbx.setFaults({ rest: { failShare: 0.5, failStatus: 503, route: 'ping' } });
  const statuses: number[] = [];
  for (let i = 0; i < 40; i += 1) statuses.push(await rest('GET', 'asterisk/ping'));
  expect(await rest('GET', 'asterisk/info')).toBe(200);
  const failed = statuses.filter((status) => status === 503).length;
  expect(failed).toBe(pbx.counts.requestsFailed);
  expect(failed).toBeGreaterThan(5);
  expect(failed).toBeLessThan(35);
});

test('an event that is lost is not told, and one that is repeated is told twice', async () => {
  const { events } = await connect();
  pbx.setFaults({ events: { repeatShare: 1 } });
  const repeated = pbx.call();
  await expect.poll(() => events.map(({ type }) => type)).toEqual(['StasisStart', 'StasisStart']);
  pbx.setFaults({ events: { loseShare: 1 } });
  repeated.hangUp();
  await repeated.ended;
  pbx.setFaults({});
  pbx.call();
  await expect.poll(() => events.map(({ type }) => type)).toEqual(['StasisStart', 'StasisStart', 'StasisStart']);
});

test('its clock goes wrong by as much as is asked for', async () => {
  const { events } = await connect();
  pbx.setFaults({ clockSkewMs: -3_600_000 });
  pbx.call();
  await expect.poll(() => events.length).toBe(1);
  const ahead = Date.parse((events[0]?.timestamp ?? '').replace('+0000', 'Z')) - Date.now();
  expect(ahead).toBeLessThan(-3_500_000);
});

test('a socket that is taken over is told, one that is dropped is not', async () => {
  const replaced = await connect();
  await pbx.fault({ kind: 'replace-application', application: 'bot' });
  await expect.poll(() => replaced.events.map(({ type }) => type)).toEqual(['ApplicationReplaced']);
  const dropped = await connect();
  const closed = once(dropped.socket, 'close');
  await pbx.fault({ kind: 'drop-sockets' });
  expect((await closed)[0]).toBe(1006);
});

test('a call whose application nobody serves goes to the fallback', async () => {
  const report = await pbx.call().ended;
  expect(report).toMatchObject({ fallback: 'NOGATEWAY', endedBy: 'pbx' });
  expect(pbx.counts).toMatchObject({ callsUnserved: 1, callsFallenBack: { NOGATEWAY: 1 } });
});

test('a PBX that dies takes its calls along, and comes back on the same port without them', async () => {
  const { events } = await connect();
  const call = pbx.call();
  await expect.poll(() => events.length).toBe(1);
  const { httpUrl } = pbx;
  await pbx.fault({ kind: 'crash', downMs: 10 });
  expect(await call.ended).toMatchObject({ endedBy: 'lost', answered: false });
  expect(pbx.httpUrl).toBe(httpUrl);
  expect(pbx.leftovers).toEqual([]);
  expect(await rest('GET', 'asterisk/ping')).toBe(200);
});

test('a PBX that was away for a moment still has its calls', async () => {
  const { events } = await connect();
  const call = pbx.call();
  await expect.poll(() => events.length).toBe(1);
  await pbx.fault({ kind: 'crash', downMs: 10, keepCalls: true });
  expect(call.isOver).toBe(false);
  expect(await rest('POST', `channels/${call.channelId}/answer`)).toBe(204);
  await call.answered;
});

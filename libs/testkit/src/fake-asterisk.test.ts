import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { asteriskTime, FakeAsterisk } from './fake-asterisk.ts';
import { FakeCall } from './fake-call.ts';
import { FakeTraffic, PROBE } from './fake-traffic.ts';

let pbx: FakeAsterisk;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  pbx = await FakeAsterisk.start({ name: 'pbx-a' });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await pbx.stop();
});

type Message = Record<string, unknown> & { readonly type: string };

const headers = { authorization: `Basic ${Buffer.from('callfleet:callfleet').toString('base64')}` };

/** An application's event socket, and what came on it. */
async function connect(application: string): Promise<{ socket: WebSocket; messages: Message[] }> {
  const url = `${pbx.httpUrl.replace('http', 'ws')}/ari/events?app=${application}`;
  const socket = new WebSocket(url, { headers });
  sockets.push(socket);
  const messages: Message[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(data.toString())));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await expect.poll(() => pbx.applications).toContain(application);
  return { socket, messages };
}

describe('its event sockets', () => {
  test('get the events of their own application', async () => {
    const [one, two] = [await connect('one'), await connect('two')];
    expect(pbx.send('one', ['{"type":"A"}', '{"type":"B"}'])).toBe(true);
    expect(pbx.send('three', ['{"type":"C"}'])).toBe(false);
    await expect.poll(() => one.messages.map(({ type }) => type)).toEqual(['A', 'B']);
    expect(two.messages).toEqual([]);
  });

  test('are taken over by a newer one of the same application, and the older is told', async () => {
    const older = await connect('one');
    const newer = await connect('one');
    await expect.poll(() => older.messages.map(({ type }) => type)).toEqual(['ApplicationReplaced']);
    pbx.send('one', ['{"type":"A"}']);
    await expect.poll(() => newer.messages.map(({ type }) => type)).toEqual(['A']);
    expect(pbx.registrations('one')).toBe(2);
    older.socket.close();
    newer.socket.close();
    await expect.poll(() => pbx.applications).toEqual([]);
  });

  test('carry requests', async () => {
    const { socket, messages } = await connect('one');
    pbx.rest.channels.set('1.2', { id: '1.2' });
    const request = { type: 'RESTRequest', transaction_id: 't', method: 'POST' };
    socket.send(JSON.stringify({ ...request, request_id: '1', uri: 'channels/1.2/answer' }));
    socket.send(JSON.stringify({ ...request, request_id: '2', uri: 'channels/1.3/answer' }));
    await expect
      .poll(() => messages)
      .toMatchObject([
        { type: 'RESTResponse', request_id: '1', status_code: 204 },
        { type: 'RESTResponse', request_id: '2', status_code: 404 },
      ]);
    expect(pbx.rest.requests.get('POST channels/answer')).toBe(2);
  });

  test('are refused without the password', async () => {
    const answer = await fetch(`${pbx.httpUrl}/ari/asterisk/info`);
    expect(answer.status).toBe(401);
    expect((await fetch(`${pbx.httpUrl}/ari/asterisk/info`, { headers })).status).toBe(200);
  });
});

describe('a call on it', () => {
  test('comes, is talked with, and ends; no two of its events are the same', () => {
    const call = new FakeCall('pbx-a', 'one', 1, 40);
    const texts: string[] = [];
    for (let at = 0; !call.isOver; at += 20) texts.push(call.next(asteriskTime(at)));
    const types = texts.map((text) => (JSON.parse(text) as Message).type);
    expect(types).toHaveLength(40);
    expect(types.slice(0, 3)).toEqual(['StasisStart', 'ChannelStateChange', 'ChannelEnteredBridge']);
    expect(types.slice(-2)).toEqual(['StasisEnd', 'ChannelDestroyed']);
    expect(new Set(texts).size).toBe(40);
  });
});

describe('its traffic', () => {
  const options = { shards: ['one', 'two'], calls: 5, eventsPerCall: 10, probeEvery: 10 };

  test('is as much as it says, shared out among the sockets, and probes tell when they were sent', async () => {
    const all = [await connect('one'), await connect('two')];
    const { events, bytes } = await new FakeTraffic(pbx, options).run({ eventsPerSecond: 10_000, ms: 100 });
    const count = () => all.reduce((sum, { messages }) => sum + messages.length, 0);
    await expect.poll(count).toBe(events);
    for (const { messages } of all) expect(messages.length).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(100 * events);
    const probes = all.flatMap(({ messages }) => messages).filter(({ eventname }) => eventname === PROBE);
    expect(probes).toHaveLength(Math.floor(events / options.probeEvery));
    for (const { userevent } of probes) expect(userevent).toMatchObject({ sentAt: expect.any(Number) });
  });

  test('waits for what was not acknowledged', async () => {
    await Promise.all([connect('one'), connect('two')]);
    const traffic = new FakeTraffic(pbx, options);
    expect((await traffic.run({ window: 500, ms: 100 })).events).toBeLessThanOrEqual(500);
    traffic.acknowledged(500);
    expect((await traffic.run({ window: 500, ms: 100 })).events).toBeGreaterThan(0);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import type { ExternalMedia } from '@callfleet/bus';
import { SimulatedTime } from '@callfleet/media/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CONNECT_TIMEOUT_MS, type LegSocket } from './leg-socket.ts';
import { LegSocketServer } from './leg-socket-server.ts';
import { simulatedDiallingLeg } from './simulated-pbx.ts';

const closers: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listening(maxLegs = 5) {
  const time = new SimulatedTime();
  const refused: string[] = [];
  const onRefused = (why: string) => refused.push(why);
  const options = { host: '127.0.0.1', port: 0, client: 'callfleet-relay', maxLegs, time, onRefused };
  const server = await LegSocketServer.listen(options);
  closers.push(() => server.close());
  const leg = simulatedDiallingLeg(server.port, 'pbx-a:secret');
  closers.push(() => leg.close());
  const expected = server.expect(() => ({ username: 'pbx-a', password: 'secret' }));
  const raw = (text: string) => {
    const socket = connect(server.port, '127.0.0.1');
    closers.push(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(text);
    return socket.resume();
  };
  return { server, time, refused, leg, expected, as: parametersOf(expected), raw };
}

const parametersOf = ({ options }: LegSocket) => ({ transport_data: `${options}f(json)` }) as ExternalMedia;

describe('the server for WebSockets of legs', () => {
  test('gives a connection to the session whose token it names, with all that it said before it was wanted', async () => {
    const { leg, expected, as, refused } = await listening();
    expect(await leg.make(as)).toBe(101);
    leg.press('5');
    const heard: string[] = [];
    const socket = await expected.connect(leg.channelVariables, (data) => heard.push(data.toString()));
    await vi.waitFor(() => expect(heard.map((text) => JSON.parse(text).event)).toEqual(['MEDIA_START', 'DTMF_END']));
    expected.forget();
    expect(socket.readyState).toBe(socket.OPEN);
    expect(refused).toEqual([]);
  });

  test('has another token for each leg, good for one connection', async () => {
    const { leg, server, as, refused } = await listening();
    expect(parametersOf(server.expect(() => undefined)).transport_data).not.toBe(as.transport_data);
    expect(as.transport_data).toMatch(/^v\(leg=[0-9a-f]{32}\)f\(json\)$/);
    expect(await leg.make(as)).toBe(101);
    expect(await leg.make(as)).toBe(404);
    expect(refused).toEqual(['unknown-leg']);
  });

  test('sends away who names no leg that is waited for, or none any more', async () => {
    const { leg, expected, as, refused } = await listening();
    expect(await leg.make({ ...as, transport_data: 'v(leg=00)' })).toBe(404);
    expect(await leg.make({ ...as, transport_data: 'v(x=1)' })).toBe(404);
    expected.forget();
    expect(await leg.make(as)).toBe(404);
    expect(refused).toEqual(['unknown-leg', 'unknown-leg', 'unknown-leg']);
  });

  test('sends away who has the token and not the password; the leg may still come', async () => {
    const { leg, as, refused } = await listening();
    expect(await leg.make(as, 'pbx-a:guess')).toBe(401);
    expect(await leg.make(as)).toBe(101);
    expect(refused).toEqual(['unauthorized']);
  });

  test('knows the password as it is when the leg comes, and nobody without one', async () => {
    const { leg, server } = await listening();
    let account: { username: string; password: string } | undefined;
    const as = parametersOf(server.expect(() => account));
    expect(await leg.make(as)).toBe(401);
    account = { username: 'pbx-a', password: 'secret' };
    expect(await leg.make(as)).toBe(101);
  });

  test('sends away what is no WebSocket, or no HTTP, and goes on', async () => {
    const { leg, as, refused, raw } = await listening();
    await once(raw('GET /media HTTP/1.1\r\nHost: a\r\n\r\n'), 'close');
    await once(raw('GET // HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'), 'close');
    await once(raw('\x10\x00\r\n\r\n'), 'close');
    await once(raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}`), 'close');
    expect(refused).toEqual(['not-websocket', 'unknown-leg', 'not-http', 'not-http']);
    expect(await leg.make(as)).toBe(101);
  });

  test('does not wait long for one who says nothing', { timeout: 15_000 }, async () => {
    const { raw } = await listening();
    await once(raw(''), 'close');
  });

  test('closes a leg that sends more than any leg does in one message', async () => {
    const { leg, expected, as } = await listening();
    await leg.make(as);
    const socket = await expected.connect(leg.channelVariables, () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    leg.say(new Uint8Array(16_385));
    await closed;
  });

  test('waits for the PBX a while, and says what it waited for', async () => {
    const { expected, leg, time } = await listening();
    const connecting = expect(expected.connect(leg.channelVariables, () => {})).rejects.toMatchObject({
      code: 'CF_RELAY_ATTACH_FAILED',
      message: 'the PBX did not connect by "callfleet-relay" of its websocket_client.conf within 2500 ms',
    });
    time.pass(CONNECT_TIMEOUT_MS);
    await connecting;
  });

  test('closes the connection of a leg that nobody wants any more', async () => {
    const { expected, leg, as } = await listening();
    await leg.make(as);
    const connecting = expected.connect(leg.channelVariables, () => {});
    expected.forget();
    const socket = await connecting;
    if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
  });
});

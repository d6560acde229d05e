import type { ExternalMedia } from '@callfleet/bus';
import { type FormatName, fromPcm, OpusCodec, PlayoutBuffer, tone, toneLevel, toPcm } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dialledToPbx } from './leg-socket.ts';
import { LegSocketServer } from './leg-socket-server.ts';
import { simulatedDiallingLeg, simulatedWebSocketLeg } from './simulated-pbx.ts';
import type { TransportListener } from './transport.ts';
import { describeTransport, Told } from './transport-conformance.ts';
import { WebSocketTransport } from './websocket-transport.ts';

async function webSocketPair(told: TransportListener, format: FormatName | 'opus' = 'ulaw') {
  const leg = await simulatedWebSocketLeg();
  const time = new SimulatedTime();
  return {
    leg,
    transport: new WebSocketTransport({ format, leg: dialledToPbx(leg.url), leadMs: 60, time }, told),
    makeLeg() {},
    passFrame: () => time.pass(20),
  };
}

describeTransport('websocket', 'ulaw', (told) => webSocketPair(told));
describeTransport('websocket', 'slin16', (told) => webSocketPair(told, 'slin16'));

async function dialledInPair(told: TransportListener) {
  const time = new SimulatedTime();
  const server = await LegSocketServer.listen({
    host: '127.0.0.1',
    port: 0,
    client: 'callfleet-relay',
    maxLegs: 5,
    time,
  });
  const account = { username: 'pbx-a', password: 'secret' };
  const leg = simulatedDiallingLeg(server.port, 'pbx-a:secret');
  return {
    leg: { ...leg, close: () => leg.close().then(() => server.close()) },
    transport: new WebSocketTransport({ format: 'ulaw', leg: server.expect(() => account), leadMs: 60, time }, told),
    makeLeg: (as: ExternalMedia) => void leg.make(as),
    passFrame: () => time.pass(20),
  };
}

describeTransport('websocket, dialled in', 'ulaw', dialledInPair);

describe('the WebSocket transport', () => {
  const closers: Array<() => Promise<void>> = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function attached() {
    const told = new Told();
    const pair = await webSocketPair(told);
    closers.push(
      () => pair.transport.close(),
      () => pair.leg.close(),
    );
    await pair.transport.attach(pair.leg.channelVariables);
    const playout = new PlayoutBuffer(pair.transport.format);
    return {
      ...pair,
      told,
      playout,
      /** Paces so many frames; gives how many were sent at each. */
      pace: (frames: number) =>
        Array.from({ length: frames }, () => {
          const before = pair.transport.stats.sent;
          pair.transport.pace(playout);
          pair.passFrame();
          return pair.transport.stats.sent - before;
        }),
    };
  }
  const seconds = (n: number) => new Uint8Array(8000 * n).fill(1);

  test('is ahead by the lead, however much there is to play', async () => {
    const { playout, pace } = await attached();
    playout.push(seconds(10));
    expect(pace(6)).toEqual([3, 1, 1, 1, 1, 1]);
    expect(playout.queuedMs).toBe(10_000 - 8 * 20);
  });

  test('is ahead by one frame in silence, so that an answer does not wait behind it', async () => {
    const { playout, pace } = await attached();
    expect(pace(4)).toEqual([1, 1, 1, 1]);
    playout.push(seconds(1));
    expect(pace(3)).toEqual([3, 1, 1]);
  });

  test('stops at XOFF and goes on at XON', async () => {
    const { leg, playout, pace, transport } = await attached();
    playout.push(seconds(1));
    leg.tell({ event: 'MEDIA_XOFF' });
    await vi.waitFor(() => expect(pace(1)).toEqual([0]));
    const sent = transport.stats.sent;
    expect(pace(3)).toEqual([0, 0, 0]);
    leg.tell({ event: 'MEDIA_XON' });
    await vi.waitFor(() => {
      pace(1);
      expect(transport.stats.sent).toBeGreaterThan(sent);
    });
  });

  test('makes the PBX forget what it did not play, and says how much that was', async () => {
    const { leg, playout, pace, transport } = await attached();
    expect(transport.flush()).toBe(0);
    playout.push(seconds(1));
    pace(5);
    expect(transport.unplayedMs).toBe(40);
    expect(transport.flush()).toBe(40);
    expect(transport.unplayedMs).toBe(0);
    await vi.waitFor(() => expect(leg.commands).toEqual(['FLUSH_MEDIA']));
  });

  test('does not count silence as unplayed audio', async () => {
    const { pace, transport } = await attached();
    pace(3);
    expect(transport.unplayedMs).toBe(0);
  });

  test('has the PBX tell each second how far it has played, and sends less where that is behind', async () => {
    const { leg, playout, pace, transport } = await attached();
    playout.push(seconds(10));
    pace(60);
    await vi.waitFor(() => expect(leg.commands).toEqual(['MARK_MEDIA']));
    expect(transport.unplayedMs).toBe(40);
    // 62 frames were sent, and only now the fiftieth is played.
    leg.tell({ event: 'MEDIA_MARK_PROCESSED', correlation_id: '50' });
    await vi.waitFor(() => expect(transport.unplayedMs).toBe(240));
    expect(pace(20).reduce((a, b) => a + b, 0)).toBe(10);
    expect(transport.unplayedMs).toBe(40);
  });

  test('sends more where the PBX has played more than it should have by our clock', async () => {
    const { leg, playout, pace, transport } = await attached();
    playout.push(seconds(10));
    pace(48);
    expect(transport.stats.sent).toBe(50);
    leg.tell({ event: 'MEDIA_MARK_PROCESSED', correlation_id: '50' });
    await vi.waitFor(() => expect(transport.unplayedMs).toBe(0));
    expect(pace(2)).toEqual([3, 1]);
  });

  test('believes no mark of what it has flushed, nor of what it never sent', async () => {
    const { leg, playout, pace, transport, told } = await attached();
    playout.push(seconds(10));
    pace(60);
    transport.flush();
    pace(3);
    const { unplayedMs } = transport;
    for (const id of ['50', '5000', 'x']) leg.tell({ event: 'MEDIA_MARK_PROCESSED', correlation_id: id });
    leg.press('1');
    await vi.waitFor(() => expect(told.digits).toEqual(['1']));
    expect(transport.unplayedMs).toBe(unplayedMs);
  });

  test('tells when the PBX hangs up', async () => {
    const { leg, told } = await attached();
    leg.hangUp();
    await vi.waitFor(() => expect(told.losses).toEqual(['closed by the PBX with code 1000']));
  });

  test('counts messages that it cannot read', async () => {
    const { leg, transport } = await attached();
    for (const event of [
      { event: 'ERROR' },
      { event: 'DTMF_END' },
      { event: 'MEDIA_MARK_PROCESSED' },
      {},
      { event: 'NEW' },
    ])
      leg.tell(event);
    await vi.waitFor(() => expect(transport.stats.malformed).toBe(4));
  });

  test('can be closed while it connects', async () => {
    const { leg, transport } = await webSocketPair(new Told());
    closers.push(() => leg.close());
    const attaching = transport.attach(leg.channelVariables);
    await Promise.all([transport.close(), expect(attaching).rejects.toMatchObject({ code: 'CF_RELAY_ATTACH_FAILED' })]);
    expect(leg.received).toEqual([]);
  });

  test('says which PBX refused it, and does not tell the id', async () => {
    const { leg, transport } = await webSocketPair(new Told());
    closers.push(() => leg.close());
    const refused = transport.attach({ MEDIA_WEBSOCKET_CONNECTION_ID: 'no-such-leg' });
    await expect(refused).rejects.toMatchObject({ code: 'CF_RELAY_ATTACH_FAILED' });
    await expect(refused).rejects.toThrow(/127\.0\.0\.1:\d+ refused/);
    await expect(refused).rejects.not.toThrow('no-such-leg');
  });

  test('carries Opus: packets on the wire, frames for the session', async () => {
    const told = new Told();
    const { leg, transport, passFrame } = await webSocketPair(told, 'opus');
    const codec = await OpusCodec.open();
    closers.push(
      async () => codec.close(),
      () => transport.close(),
      () => leg.close(),
    );
    expect(await transport.open()).toMatchObject({ format: 'opus' });
    await transport.attach(leg.channelVariables);
    const { format } = transport;
    const playout = new PlayoutBuffer(format);
    playout.push(fromPcm(format, tone({ hz: 440, ms: 1000, sampleRate: format.sampleRate })));
    for (let i = 0; i < 60; i += 1) {
      transport.pace(playout);
      passFrame();
    }
    await vi.waitFor(() => expect(leg.received.length).toBeGreaterThanOrEqual(50));
    const heard = leg.received.slice(0, 50).map((packet) => codec.decode(packet) as Uint8Array);
    expect(toneLevel(toPcm(format, Buffer.concat(heard)), format.sampleRate, 440)).toBeGreaterThan(0.8);

    leg.say(codec.encode(new Uint8Array(format.frameBytes)));
    leg.say(Uint8Array.of(3));
    await vi.waitFor(() => expect(transport.stats.malformed).toBe(1));
    expect(told.frames.map(({ length }) => length)).toEqual([format.frameBytes]);
  });
});

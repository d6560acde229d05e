import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { buildRtp, type FormatName, PlayoutBuffer } from '@callfleet/media';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PortPool } from './port-pool.ts';
import { RtpTransport } from './rtp-transport.ts';
import { simulatedRtpLeg } from './simulated-pbx.ts';
import type { TransportListener } from './transport.ts';
import { describeTransport, Told } from './transport-conformance.ts';

const now = () => performance.now();
const ports = new PortPool({ portMin: 24_000, portMax: 24_999, portRestMs: 0, now });

function rtpTransport(told: TransportListener, options: { format?: FormatName; ports?: PortPool } = {}): RtpTransport {
  return new RtpTransport(
    { format: 'ulaw', bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1', ports, ...options },
    told,
  );
}

async function rtpPair(told: TransportListener, format: FormatName = 'ulaw', payloadType = 0) {
  const leg = await simulatedRtpLeg(payloadType);
  return {
    leg,
    transport: rtpTransport(told, { format }),
    passFrame() {},
    makeLeg: (as: { external_host: string }) => {
      leg.relayAt = as.external_host;
    },
  };
}

describeTransport('rtp', 'ulaw', (told) => rtpPair(told));
describeTransport('rtp', 'alaw', (told) => rtpPair(told, 'alaw', 8));

describe('the RTP transport', () => {
  const closers: Array<() => Promise<void>> = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function attached(format: FormatName = 'ulaw', payloadType = 0) {
    const told = new Told();
    const pair = await rtpPair(told, format, payloadType);
    closers.push(
      () => pair.transport.close(),
      () => pair.leg.close(),
    );
    pair.makeLeg(await pair.transport.open());
    await pair.transport.attach(pair.leg.channelVariables);
    return { ...pair, told, playout: new PlayoutBuffer(pair.transport.format) };
  }

  test('numbers packets and samples without a gap, and lets time go on where frames fell out', async () => {
    const { leg, transport, playout } = await attached();
    for (const skipped of [0, 0, 3, 0]) transport.pace(playout, skipped);
    await vi.waitFor(() => expect(leg.packets).toHaveLength(4));
    const [first, ...others] = leg.packets;
    if (!first) return expect.unreachable();
    expect(first.marker).toBe(true);
    expect(others.map(({ seq }) => (seq - first.seq + 65_536) % 65_536)).toEqual([1, 2, 3]);
    expect(others.map(({ timestamp }) => (timestamp - first.timestamp + 2 ** 32) % 2 ** 32)).toEqual([160, 800, 960]);
    expect(others.map(({ marker }) => marker)).toEqual([false, true, false]);
  });

  test('hears nobody but the PBX', async () => {
    const { leg, told, transport } = await attached();
    const stranger = createSocket('udp4');
    const [host, port] = leg.relayAt.split(':') as [string, string];
    const packet = buildRtp({ payloadType: 0, marker: false, seq: 1, timestamp: 1, ssrc: 1 }, new Uint8Array(160));
    stranger.send(packet, Number(port), host);
    await vi.waitFor(() => expect(transport.stats.strangers).toBe(1));
    stranger.close();
    await once(stranger, 'close');
    leg.say(new Uint8Array(160).fill(7));
    await vi.waitFor(() => expect(told.frames).toHaveLength(1));
    expect(told.frames[0]?.[0]).toBe(7);
  });

  test('refuses a PBX of the other Internet Protocol, and says so', async () => {
    const { transport } = await attached();
    await expect(
      transport.attach({ UNICASTRTP_LOCAL_ADDRESS: '::1', UNICASTRTP_LOCAL_PORT: '30000' }),
    ).rejects.toMatchObject({ code: 'CF_RELAY_BAD_PEER', message: expect.stringContaining('IPv6') });
  });

  test('takes neither keys nor noise for audio, and survives what is no RTP', async () => {
    const { leg, told, transport } = await attached();
    leg.sendRaw(
      buildRtp({ payloadType: 101, marker: false, seq: 65_530, timestamp: 1, ssrc: 4711 }, new Uint8Array(4)),
    );
    leg.sendRaw(Uint8Array.of(1, 2, 3));
    await vi.waitFor(() => expect(transport.stats.malformed).toBe(2));
    expect(told.frames).toEqual([]);
  });

  test('counts what is lost on the way', async () => {
    const { leg, told, transport } = await attached();
    const header = { payloadType: 0, marker: false, timestamp: 1, ssrc: 4711 };
    for (const seq of [10, 11, 13, 14, 15]) leg.sendRaw(buildRtp({ ...header, seq }, new Uint8Array(160)));
    await vi.waitFor(() => expect(told.frames).toHaveLength(5));
    expect(transport.stats.lost).toBe(1);
  });

  test('has linear audio in network order on the wire, and in ours within', async () => {
    const { leg, told, transport, playout } = await attached('slin16', 118);
    playout.push(new Uint8Array(640).fill(1).map((_, i) => i % 2));
    transport.pace(playout, 0);
    await vi.waitFor(() => expect(leg.received).toHaveLength(1));
    expect([...(leg.received[0] ?? [])].slice(0, 4)).toEqual([1, 0, 1, 0]);
    leg.say(new Uint8Array(640).map((_, i) => i % 2));
    await vi.waitFor(() => expect(told.frames).toHaveLength(1));
    expect(told.frames[0]?.slice(0, 4)).toEqual([1, 0, 1, 0]);
  });

  test('gives its port back when it closes, and passes over one that somebody else has', async () => {
    const own = new PortPool({ portMin: 25_000, portMax: 25_003, portRestMs: 0, now });
    const other = createSocket('udp4');
    other.bind(25_000, '127.0.0.1');
    await once(other, 'listening');
    const transport = rtpTransport(new Told(), { ports: own });
    for (let i = 0; i < 3; i += 1) {
      expect((await transport.open()).external_host).toBe('127.0.0.1:25002');
      await transport.close();
    }
    other.close();
    await once(other, 'close');
  });

  test('says so when there is no port left', async () => {
    const none = new PortPool({ portMin: 25_010, portMax: 25_011, portRestMs: 1000, now });
    none.take();
    await expect(rtpTransport(new Told(), { ports: none }).open()).rejects.toMatchObject({
      code: 'CF_RELAY_PORTS_EXHAUSTED',
    });
  });
});

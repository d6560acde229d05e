import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { buildRtp, type FormatName, PlayoutBuffer, RtcpSession } from '@callfleet/media';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PortPool } from './port-pool.ts';
import { processTime } from './process-time.ts';
import { RtpTransport } from './rtp-transport.ts';
import { type SimulatedRtpLeg, simulatedRtpLeg } from './simulated-pbx.ts';
import type { TransportListener } from './transport.ts';
import { describeTransport, Told } from './transport-conformance.ts';

const now = () => performance.now();
const ports = new PortPool({ portMin: 24_000, portMax: 24_999, portRestMs: 0, now });

function rtpTransport(told: TransportListener, options: { format?: FormatName; ports?: PortPool } = {}): RtpTransport {
  return new RtpTransport(
    { format: 'ulaw', bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1', ports, time: processTime, ...options },
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

  test('sends reports to the port above, and measures the round trip from those that come back', async () => {
    const { leg, transport, playout } = await attached();
    const pbx = new RtcpSession({ ssrc: 4711, cname: 'pbx' });
    const socket = createSocket('udp4');
    closers.push(async () => {
      socket.close();
      await once(socket, 'close');
    });
    socket.bind(Number(leg.channelVariables.UNICASTRTP_LOCAL_PORT) + 1, '127.0.0.1');
    await once(socket, 'listening');
    leg.say(new Uint8Array(160));
    const reports: Buffer[] = [];
    socket.on('message', (report, from) => {
      reports.push(report);
      pbx.receive(report, 1000);
      const ssrc = leg.packets[0]?.ssrc as number;
      const heard = { ssrc, highestSeq: 1, packets: 50, lost: 0, jitter: 0 };
      socket.send(pbx.report(1000, { packets: 1, bytes: 160, timestamp: 0 }, heard), from.port, from.address);
    });
    for (let i = 0; i < 299; i += 1) transport.pace(playout, 0);
    await vi.waitFor(() => expect(transport.stats.network?.roundTripMs).toBeLessThan(1000));
    expect(reports).toHaveLength(1);
    transport.pace(playout, 0);
    await vi.waitFor(() => expect(reports).toHaveLength(2));
    expect(transport.stats).toMatchObject({ strangers: 0, malformed: 0 });
  });

  test('refuses a PBX of the other Internet Protocol, and says so', async () => {
    const { transport } = await attached();
    await expect(
      transport.attach({ UNICASTRTP_LOCAL_ADDRESS: '::1', UNICASTRTP_LOCAL_PORT: '30000' }),
    ).rejects.toMatchObject({ code: 'CF_RELAY_BAD_PEER', message: expect.stringContaining('IPv6') });
  });

  test('takes neither keys nor noise for audio, and survives what is no RTP', async () => {
    const { leg, told, transport } = await attached();
    const header = { marker: false, timestamp: 1, ssrc: 4711 };
    leg.sendRaw(buildRtp({ ...header, payloadType: 13, seq: 65_530 }, new Uint8Array(1)));
    leg.sendRaw(buildRtp({ ...header, payloadType: 101, seq: 65_531 }, Uint8Array.of(5, 10, 0, 160)));
    leg.sendRaw(Uint8Array.of(1, 2, 3));
    await vi.waitFor(() => expect(transport.stats.malformed).toBe(2));
    expect(told).toMatchObject({ frames: [], digits: ['5'] });
  });

  /** Sends packets of 20 ms with these numbers, the payload filled with its number. */
  function send(leg: SimulatedRtpLeg, seqs: number[]) {
    for (const seq of seqs)
      leg.sendRaw(
        buildRtp(
          { payloadType: 0, marker: false, seq, timestamp: seq * 160, ssrc: 4711 },
          new Uint8Array(160).fill(seq),
        ),
      );
  }

  test('fills the gap of what is lost on the way, so that the rest keeps its place in time, and counts it', async () => {
    const { leg, told, transport } = await attached();
    send(leg, [10, 11, 14, 15, 16, 13]);
    await vi.waitFor(() => expect(transport.stats.network?.late).toBe(1));
    expect(told.frames.map(([first]) => first)).toEqual([10, 11, expect.any(Number), expect.any(Number), 14, 15, 16]);
    expect(transport.stats).toMatchObject({ lost: 2, network: { concealedMs: 40, late: 1 } });
  });

  test('makes nothing up for lost packets of a key, which had no time of their own', async () => {
    const { leg, told, transport } = await attached();
    send(leg, [1]);
    const audio = { payloadType: 0, marker: false, ssrc: 4711 };
    leg.sendRaw(buildRtp({ ...audio, seq: 4, timestamp: 320 }, new Uint8Array(160).fill(4)));
    leg.sendRaw(buildRtp({ ...audio, seq: 5, timestamp: 480 }, new Uint8Array(160).fill(5)));
    await vi.waitFor(() => expect(told.frames).toHaveLength(3));
    expect(transport.stats).toMatchObject({ lost: 2, network: { concealedMs: 0 } });
  });

  test('lets no caller hear the end of another call, even where a port is used again at once', async () => {
    const own = new PortPool({ portMin: 25_020, portMax: 25_021, portRestMs: 0, now });
    const before = await rtpPair(new Told());
    closers.push(() => before.leg.close());
    const first = rtpTransport(new Told(), { ports: own });
    const { external_host } = await first.open();
    before.leg.relayAt = external_host;
    await first.attach(before.leg.channelVariables);
    await first.close();

    const told = new Told();
    const second = rtpTransport(told, { ports: own });
    const after = await rtpPair(told);
    closers.push(
      () => second.close(),
      () => after.leg.close(),
    );
    expect((await second.open()).external_host).toBe(external_host);
    after.leg.relayAt = external_host;
    // The old call's PBX has not noticed yet: not before the new leg is there, and not after.
    before.leg.say(new Uint8Array(160).fill(1));
    await vi.waitFor(() => expect(second.stats.strangers).toBe(1));
    await second.attach(after.leg.channelVariables);
    before.leg.say(new Uint8Array(160).fill(1));
    after.leg.say(new Uint8Array(160).fill(2));
    await vi.waitFor(() => expect(second.stats.strangers).toBe(2));
    await vi.waitFor(() => expect(told.frames).toHaveLength(1));
    expect(told.frames[0]?.[0]).toBe(2);
  });

  test('speaks first, to the address it was told, and to that alone whoever else sends', async () => {
    const { leg, transport, playout } = await attached();
    transport.pace(playout, 0);
    await vi.waitFor(() => expect(leg.packets).toHaveLength(1));
    const stranger = await simulatedRtpLeg();
    closers.push(() => stranger.close());
    stranger.relayAt = leg.relayAt;
    stranger.say(new Uint8Array(160));
    await vi.waitFor(() => expect(transport.stats.strangers).toBe(1));
    transport.pace(playout, 0);
    await vi.waitFor(() => expect(leg.packets).toHaveLength(2));
    expect(stranger.packets).toEqual([]);
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

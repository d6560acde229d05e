import { audioFrame, errorFrame, PlayoutBuffer } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AudioSocketServer } from './audiosocket-server.ts';
import { type AudioSocketFormat, AudioSocketTransport } from './audiosocket-transport.ts';
import { simulatedAudioSocketLeg } from './simulated-pbx.ts';
import type { TransportListener } from './transport.ts';
import { describeTransport, Told } from './transport-conformance.ts';

const closers: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function audioSocketPair(told: TransportListener, format: AudioSocketFormat = 'slin') {
  const time = new SimulatedTime();
  const server = await AudioSocketServer.listen({ bindAddress: '127.0.0.1', port: 0, time });
  closers.push(() => server.close());
  const leg = simulatedAudioSocketLeg(format);
  return {
    leg,
    server,
    time,
    transport: new AudioSocketTransport({ format, server, advertisedAddress: '127.0.0.1', time }, told),
    makeLeg: leg.make,
    passFrame() {},
  };
}

describeTransport('audiosocket', 'slin', (told) => audioSocketPair(told));
describeTransport('audiosocket', 'slin16', (told) => audioSocketPair(told, 'slin16'));

describe('the AudioSocket transport', () => {
  async function attached() {
    const told = new Told();
    const pair = await audioSocketPair(told);
    closers.push(
      () => pair.transport.close(),
      () => pair.leg.close(),
    );
    const externalMedia = await pair.transport.open();
    pair.makeLeg(externalMedia);
    await pair.transport.attach({});
    return { ...pair, told, externalMedia, playout: new PlayoutBuffer(pair.transport.format) };
  }

  test('tells when the PBX hangs up, once', async () => {
    const { leg, told } = await attached();
    leg.hangUp();
    await leg.ended;
    expect(told.losses).toEqual(['hung up by the PBX']);
  });

  test('tells when the connection is gone', async () => {
    const { leg, told } = await attached();
    await leg.close();
    await vi.waitFor(() => expect(told.losses).toEqual(['closed by the PBX']));
  });

  test('tells of the error that the PBX reports', async () => {
    const { leg, told } = await attached();
    leg.sendRaw(errorFrame(4));
    await vi.waitFor(() => expect(told.losses).toEqual(['the PBX reports error 4']));
  });

  test('hangs up the leg when it closes', async () => {
    const { leg, transport, told } = await attached();
    await transport.close();
    expect(await leg.ended).toBe('hangup');
    expect(told.losses).toEqual([]);
  });

  test('counts what it cannot read, and audio of another rate', async () => {
    const { leg, told, transport } = await attached();
    leg.sendRaw(Uint8Array.of(0x77, 0, 1, 1));
    leg.sendRaw(audioFrame(16_000, new Uint8Array(640)));
    await vi.waitFor(() => expect(transport.stats.malformed).toBe(2));
    expect(told).toEqual(new Told());
  });

  test('keeps the audio of a PBX that reads nothing, instead of sending it into its socket', async () => {
    const { leg, transport, playout } = await attached();
    leg.stopReading();
    // The system's own buffers take some megabytes first.
    for (let before = -1; transport.stats.sent > before; await new Promise((resolve) => setImmediate(resolve))) {
      before = transport.stats.sent;
      for (let i = 0; i < 1000; i += 1) transport.pace(playout);
    }
    playout.push(new Uint8Array(16_000).fill(1));
    const sent = transport.stats.sent;
    for (let i = 0; i < 100; i += 1) transport.pace(playout);
    expect(transport.stats.sent).toBe(sent);
    expect(playout.queuedMs).toBe(1000);
  });

  test('waits for the PBX a while, and says where it did not come', async () => {
    const { transport, time } = await audioSocketPair(new Told());
    closers.push(() => transport.close());
    await transport.open();
    const attaching = expect(transport.attach({})).rejects.toMatchObject({
      code: 'CF_RELAY_ATTACH_FAILED',
      message: expect.stringMatching(/did not connect to 127\.0\.0\.1:\d+ within 2500 ms/),
    });
    time.pass(2500);
    await attaching;
  });

  test('can be closed while it waits for the PBX', async () => {
    const { transport } = await audioSocketPair(new Told());
    await transport.open();
    const attaching = expect(transport.attach({})).rejects.toMatchObject({ code: 'CF_RELAY_ATTACH_FAILED' });
    await transport.close();
    await attaching;
  });
});

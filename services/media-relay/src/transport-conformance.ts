import type { ExternalMedia } from '@callfleet/bus';
import { type FormatName, PlayoutBuffer } from '@callfleet/media';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SimulatedLeg } from './simulated-pbx.ts';
import type { MediaTransport, TransportListener } from './transport.ts';

/** A transport, and the PBX's end of it. */
export interface TransportPair {
  transport: MediaTransport;
  leg: SimulatedLeg;
  /** The PBX makes the leg as it was told. */
  makeLeg(as: ExternalMedia): void;
  /** Lets 20 ms of the transport's time pass. */
  passFrame(): void;
}

/** What a transport told. */
export class Told implements TransportListener {
  readonly frames: number[][] = [];
  readonly digits: string[] = [];
  readonly losses: string[] = [];

  heard(frame: Uint8Array): void {
    this.frames.push([...frame]);
  }

  digit(key: string): void {
    this.digits.push(key);
  }

  lost(detail: string): void {
    this.losses.push(detail);
  }
}

/** What every transport must do, whatever carries the audio. */
export function describeTransport(
  name: string,
  format: FormatName,
  make: (told: TransportListener) => Promise<TransportPair>,
): void {
  describe(`transport ${name}, ${format}`, () => {
    const closers: Array<() => Promise<void>> = [];
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });

    const opened = async () => {
      const told = new Told();
      const pair = await make(told);
      closers.push(
        () => pair.transport.close(),
        () => pair.leg.close(),
      );
      const externalMedia = await pair.transport.open();
      pair.makeLeg(externalMedia);
      const { frameBytes, silenceByte } = pair.transport.format;
      return {
        ...pair,
        told,
        externalMedia,
        playout: new PlayoutBuffer(pair.transport.format),
        frameOf: (byte: number) => new Uint8Array(frameBytes).fill(byte),
        isSilence: (frame: Uint8Array) => frame.every((byte) => byte === silenceByte),
      };
    };
    const attached = async () => {
      const pair = await opened();
      await pair.transport.attach(pair.leg.channelVariables);
      return pair;
    };

    test('tells the PBX the format of the leg', async () => {
      expect((await opened()).externalMedia.format).toBe(format);
    });

    test('gives on what the caller says, in order', async () => {
      const { leg, told, frameOf } = await attached();
      for (const byte of [1, 2, 3]) leg.say(frameOf(byte));
      await vi.waitFor(() => expect(told.frames).toEqual([1, 2, 3].map((byte) => [...frameOf(byte)])));
    });

    test('plays audio in frames of 20 ms, then silence, without a pause', async () => {
      const { leg, transport, playout, frameOf, isSilence, passFrame } = await attached();
      for (const byte of [1, 2, 3]) playout.push(frameOf(byte));
      for (let i = 0; i < 10; i += 1) {
        transport.pace(playout, 0);
        passFrame();
      }
      await vi.waitFor(() => expect(leg.received.length).toBeGreaterThanOrEqual(8));
      expect(leg.received.slice(0, 3).map((frame) => [...frame])).toEqual([1, 2, 3].map((byte) => [...frameOf(byte)]));
      expect(leg.received.slice(3).every(isSilence)).toBe(true);
      expect(new Set(leg.received.map((frame) => frame.length))).toEqual(new Set([transport.format.frameBytes]));
      expect(transport.stats).toMatchObject({ sentWithAudio: 3, sent: leg.received.length });
    });

    test('sends nothing before it is attached', async () => {
      const { leg, transport, playout, frameOf, passFrame } = await opened();
      playout.push(frameOf(1));
      transport.pace(playout, 0);
      passFrame();
      expect(playout.queuedMs).toBe(20);
      await transport.attach(leg.channelVariables);
      transport.pace(playout, 0);
      await vi.waitFor(() => expect(leg.received.map((frame) => [...frame])).toContainEqual([...frameOf(1)]));
    });

    test('tells each key that the caller presses, once', async () => {
      const { leg, told } = await attached();
      for (const key of '5#') leg.press(key);
      await vi.waitFor(() => expect(told.digits).toContain('#'));
      expect(told).toMatchObject({ digits: ['5', '#'], frames: [] });
    });

    test('refuses a leg that is none of its own', async () => {
      const { leg, transport } = await opened();
      await expect(transport.attach(leg.wrongVariables)).rejects.toMatchObject({ code: 'CF_RELAY_BAD_PEER' });
    });

    test('is quiet after it was closed, however often', async () => {
      const { leg, transport, told, playout, frameOf } = await attached();
      await transport.close();
      await transport.close();
      leg.say(frameOf(1));
      playout.push(frameOf(2));
      transport.pace(playout, 0);
      expect(playout.queuedMs).toBe(20);
      expect(told).toEqual(new Told());
    });

    test('can be closed before it was opened, and before it was attached', async () => {
      const pair = await make(new Told());
      closers.push(() => pair.leg.close());
      await pair.transport.close();
      await (await opened()).transport.close();
    });
  });
}

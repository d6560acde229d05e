import { afterEach, describe, expect, test } from 'vitest';
import { fromPcm, toPcm } from './format.ts';
import { OpusCodec } from './opus.ts';
import { dbfsOf } from './sound-level.ts';
import { tone } from './tone.ts';

const { format } = OpusCodec;
const { sampleRate, frameBytes } = format;

/** Formants of a vowel, as far as sines make them, louder and softer four times a second. Lower ones are filtered out on purpose. */
const vowel = Int16Array.from({ length: 2 * sampleRate }, (_, i) => {
  const t = i / sampleRate;
  const sum = [500, 1500, 2500, 3500].reduce((at, hz, n) => at + Math.sin(2 * Math.PI * hz * t + n) / (n + 1), 0);
  return 6000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t));
});

function framesOf(pcm: Int16Array): Uint8Array[] {
  const bytes = fromPcm(format, pcm);
  return Array.from({ length: bytes.length / frameBytes }, (_, i) =>
    bytes.subarray(i * frameBytes, (i + 1) * frameBytes),
  );
}

/** Power of `wanted` over that of what differs from it, dB, at the delay (up to 20 ms) where that is best. */
function bestSnrDb(got: Int16Array, wanted: Int16Array): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let delay = 0; delay < sampleRate / 50; delay += 1) {
    let [signal, noise] = [0, 0];
    for (let i = sampleRate / 2; i < wanted.length - delay; i += 1) {
      const sample = wanted[i] as number;
      signal += sample ** 2;
      noise += ((got[i + delay] as number) - sample) ** 2;
    }
    best = Math.max(best, 10 * Math.log10(signal / noise));
  }
  return best;
}

describe('Opus', () => {
  const codecs: OpusCodec[] = [];
  afterEach(() => {
    for (const codec of codecs.splice(0)) codec.close();
  });
  const opened = async () => {
    const codec = await OpusCodec.open();
    codecs.push(codec);
    return codec;
  };
  const thereAndBack = (codec: OpusCodec, pcm: Int16Array) => {
    const packets = framesOf(pcm).map((frame) => codec.encode(frame));
    const frames = packets.map((packet) => codec.decode(packet) as Uint8Array);
    return { packets, frames, pcm: toPcm(format, Buffer.concat(frames)) };
  };

  test('gives back what it was given, frame for frame, at most one later', async () => {
    const { frames, pcm } = thereAndBack(await opened(), vowel);
    expect(new Set(frames.map(({ length }) => length))).toEqual(new Set([frameBytes]));
    expect(bestSnrDb(pcm, vowel)).toBeGreaterThan(10);
  });

  test.each([300, 1000, 3400, 6000])('carries a tone of %d Hz at its level', async (hz) => {
    const said = tone({ hz, ms: 1000, sampleRate, level: 0.25 });
    const { pcm } = thereAndBack(await opened(), said);
    expect(Math.abs(dbfsOf(pcm.subarray(sampleRate / 2)) - dbfsOf(said))).toBeLessThan(1);
  });

  test('takes half of what G.711 takes', async () => {
    const bitsPerSecond = (packets: Uint8Array[]) =>
      (packets.reduce((sum, { length }) => sum + length, 0) * 8 * 50) / packets.length;
    const codec = await opened();
    expect(bitsPerSecond(thereAndBack(codec, vowel).packets)).toBeLessThan(36_000);
  });

  test('keeps legs apart', async () => {
    const [one, other] = [await opened(), await opened()];
    const alone = thereAndBack(await opened(), vowel).packets;
    const mixed = framesOf(vowel).map((frame) => {
      other.encode(new Uint8Array(frameBytes).fill(7));
      return one.encode(frame);
    });
    expect(mixed).toEqual(alone);
  });

  test('understands a longer packet, as phones send them', async () => {
    const codec = await opened();
    // Code 1 of RFC 6716 (two frames of one length): 40 ms in one packet.
    const packet = codec.encode(framesOf(vowel)[0] as Uint8Array);
    const toc = packet[0] as number;
    const body = packet.subarray(1);
    expect(codec.decode(Uint8Array.of((toc & 0xfc) | 1, ...body, ...body))?.length).toBe(2 * frameBytes);
  });

  test('says of what is none of its packets that it is none', async () => {
    const codec = await opened();
    expect(codec.decode(new Uint8Array(0))).toBeUndefined();
    // Code 3 with no frame count, and one with a length that lies.
    expect(codec.decode(Uint8Array.of(3))).toBeUndefined();
    expect(codec.decode(Uint8Array.of(2, 250, 1))).toBeUndefined();
    expect(thereAndBack(codec, vowel).frames).toHaveLength(100);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AudioSocketFrame,
  AudioSocketReader,
  audioFrame,
  errorFrame,
  hangupFrame,
  keyFrame,
  uuidFrame,
} from './audiosocket.ts';

const frames: fc.Arbitrary<{ bytes: Uint8Array; frame: AudioSocketFrame }> = fc.oneof(
  fc.constant({ bytes: hangupFrame(), frame: { kind: 'hangup' } as const }),
  fc.uuid().map((uuid) => ({ bytes: uuidFrame(uuid), frame: { kind: 'uuid', uuid } as const })),
  fc.constantFrom(...'0123456789*#ABCD').map((key) => ({ bytes: keyFrame(key), frame: { kind: 'key', key } as const })),
  fc
    .constantFrom(0, 1, 2, 4, 255)
    .map((code) => ({ bytes: errorFrame(code), frame: { kind: 'error', code } as const })),
  fc
    .tuple(fc.constantFrom(8000, 16_000, 24_000, 48_000), fc.uint8Array({ minLength: 1, maxLength: 960 }))
    .map(([sampleRate, half]) => {
      const audio = new Uint8Array([...half, ...half]);
      return { bytes: audioFrame(sampleRate, audio), frame: { kind: 'audio', sampleRate, audio } as const };
    }),
);

/** Cuts `bytes` into pieces of these lengths, over and over. */
function cut(bytes: Uint8Array, lengths: number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = lengths[i % lengths.length] as number;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

describe('AudioSocket', () => {
  test('frames are read as they were written, however the stream is cut', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 12 }), lengths, (sent, cuts) => {
        const reader = new AudioSocketReader();
        const bytes = Uint8Array.from(sent.flatMap((each) => [...each.bytes]));
        const got = cut(bytes, cuts).flatMap((piece) => reader.read(piece));
        expect(got.map(plain)).toEqual(sent.map(({ frame }) => plain(frame)));
      }),
    );
  });

  test('is laid out as Asterisk writes it', () => {
    expect([...uuidFrame('00112233-4455-6677-8899-aabbccddeeff')]).toEqual([
      ...[0x01, 0x00, 0x10],
      ...[0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
    ]);
    expect([...audioFrame(8000, new Uint8Array(320))].slice(0, 4)).toEqual([0x10, 0x01, 0x40, 0x00]);
    expect([16_000, 24_000, 48_000].map((rate) => audioFrame(rate, new Uint8Array(2))[0])).toEqual([0x12, 0x13, 0x16]);
    expect([...hangupFrame()]).toEqual([0, 0, 0]);
    expect([...keyFrame('5')]).toEqual([3, 0, 1, 0x35]);
  });

  test('frames that are not as their kind must be are unknown, and what follows is read', () => {
    const wrong = [
      [0x10, 0, 0],
      [0x10, 0, 1, 9],
      [0x01, 0, 2, 1, 2],
      [0x03, 0, 0],
      [0x19, 0, 2, 1, 2],
      [0x02, 0, 1, 1],
    ];
    const read = new AudioSocketReader().read(Uint8Array.from([...wrong.flat(), ...keyFrame('1')]));
    expect(read).toEqual([...wrong.map(([type]) => ({ kind: 'unknown', type })), { kind: 'key', key: '1' }]);
  });

  test('any bytes are read without an exception, and none twice', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (chunks) => {
        const reader = new AudioSocketReader();
        const read = chunks.flatMap((chunk) => reader.read(chunk));
        const audio = read.reduce((sum, frame) => sum + (frame.kind === 'audio' ? frame.audio.length : 0), 0);
        expect(audio + 3 * read.length).toBeLessThanOrEqual(chunks.reduce((sum, { length }) => sum + length, 0));
      }),
    );
  });
});

function plain(frame: AudioSocketFrame) {
  return frame.kind === 'audio' ? { ...frame, audio: [...frame.audio] } : frame;
}

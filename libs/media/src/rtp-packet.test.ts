import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRtp, parseRtp, type RtpHeader } from './rtp-packet.ts';

const headers: fc.Arbitrary<RtpHeader> = fc.record({
  payloadType: fc.integer({ min: 0, max: 127 }),
  marker: fc.boolean(),
  seq: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffffffff }),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }),
});
const payloads = fc.uint8Array({ maxLength: 400 });

interface Rest {
  csrcs: number;
  /** Length in 32-bit words; undefined: no extension. */
  extensionWords: number | undefined;
  /** Bytes of padding, its count included; 0: none. */
  padding: number;
}
const rests: fc.Arbitrary<Rest> = fc.record({
  csrcs: fc.integer({ min: 0, max: 15 }),
  extensionWords: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  padding: fc.integer({ min: 0, max: 255 }),
});

/** A packet with everything that RFC 3550 allows, put together without the code under test. */
function wholePacket(header: RtpHeader, rest: Rest, payload: Uint8Array): Uint8Array {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt8(
    0x80 | (rest.padding > 0 ? 0x20 : 0) | (rest.extensionWords === undefined ? 0 : 0x10) | rest.csrcs,
    0,
  );
  fixed.writeUInt8((header.marker ? 0x80 : 0) | header.payloadType, 1);
  fixed.writeUInt16BE(header.seq, 2);
  fixed.writeUInt32BE(header.timestamp, 4);
  fixed.writeUInt32BE(header.ssrc, 8);
  const extension = Buffer.alloc(rest.extensionWords === undefined ? 0 : 4 + rest.extensionWords * 4, 0xee);
  if (rest.extensionWords !== undefined) extension.writeUInt16BE(rest.extensionWords, 2);
  const padding = Buffer.alloc(rest.padding);
  if (rest.padding > 0) padding.writeUInt8(rest.padding, rest.padding - 1);
  return Buffer.concat([fixed, Buffer.alloc(rest.csrcs * 4, 0xcc), extension, payload, padding]);
}

describe('an RTP packet', () => {
  test('that was built is read back', () => {
    fc.assert(
      fc.property(headers, payloads, (header, payload) => {
        const packet = parseRtp(buildRtp(header, payload));
        expect(packet).toEqual({ ...header, payload });
      }),
    );
  });

  test('gives its payload whatever else it carries', () => {
    fc.assert(
      fc.property(headers, rests, payloads, (header, rest, payload) => {
        const packet = parseRtp(wholePacket(header, rest, payload));
        expect(packet && Buffer.from(packet.payload)).toEqual(Buffer.from(payload));
        expect(packet).toMatchObject(header);
      }),
    );
  });

  test('is written as the RFC lays it out', () => {
    fc.assert(
      fc.property(headers, payloads, (header, payload) => {
        const plain = { csrcs: 0, extensionWords: undefined, padding: 0 };
        expect(Buffer.from(buildRtp(header, payload))).toEqual(wholePacket(header, plain, payload));
      }),
    );
  });

  test('cut short never gives bytes of its header as audio', () => {
    fc.assert(
      fc.property(headers, rests, fc.nat({ max: 150 }), (header, rest, length) => {
        const headerOnly = wholePacket(header, { ...rest, padding: 0 }, new Uint8Array(0));
        const packet = parseRtp(headerOnly.subarray(0, Math.min(length, headerOnly.length - 1)));
        expect(packet).toBeUndefined();
      }),
    );
  });

  test('of another version, or with impossible padding, is refused', () => {
    const header = { payloadType: 0, marker: false, seq: 1, timestamp: 160, ssrc: 7 };
    const packet = buildRtp(header, new Uint8Array(20).fill(0xff));
    expect(parseRtp(Uint8Array.from(packet, (byte, i) => (i === 0 ? 0x40 : byte)))).toBeUndefined();
    const padded = Uint8Array.from(packet, (byte, i) => (i === 0 ? byte | 0x20 : byte));
    for (const padding of [0, 21, 255])
      expect(parseRtp(Uint8Array.from(padded, (byte, i) => (i === 31 ? padding : byte)))).toBeUndefined();
    expect(parseRtp(Uint8Array.from(padded, (byte, i) => (i === 31 ? 20 : byte)))?.payload).toHaveLength(0);
  });

  test('is found among any bytes without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const packet = parseRtp(bytes);
        if (packet) expect(packet.payload.length).toBeLessThanOrEqual(bytes.length - 12);
      }),
    );
  });
});

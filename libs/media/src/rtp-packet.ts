/** The fixed header of RTP (RFC 3550, section 5.1). */
export interface RtpHeader {
  /** 0..127. */
  payloadType: number;
  marker: boolean;
  /** 16 bits. */
  seq: number;
  /** 32 bits, unsigned, in samples of the payload type's clock. */
  timestamp: number;
  /** 32 bits, unsigned. */
  ssrc: number;
}

export interface RtpPacket extends RtpHeader {
  /** A view into the packet that was parsed, after CSRCs and header extension, without padding. */
  payload: Uint8Array;
}

export const RTP_HEADER_BYTES = 12;

const VERSION = 2;

/**
 * Reads one RTP packet; undefined where it is none: too short, another version, or lengths that point past its end.
 *
 * A header is not always 12 bytes: contributing sources and extensions come before the payload, padding after it.
 */
export function parseRtp(packet: Uint8Array): RtpPacket | undefined {
  if (packet.length < RTP_HEADER_BYTES) return undefined;
  const first = packet[0] as number;
  if (first >> 6 !== VERSION) return undefined;

  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (start + 4 > packet.length) return undefined;
    start += 4 + readUint16(packet, start + 2) * 4;
  }
  let end = packet.length;
  if (first & 0x20) {
    const padding = packet[end - 1] as number;
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;

  const second = packet[1] as number;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    seq: readUint16(packet, 2),
    timestamp: readUint32(packet, 4),
    ssrc: readUint32(packet, 8),
    payload: packet.subarray(start, end),
  };
}

/** Writes the 12 bytes of a header without CSRCs, extension or padding at the start of `packet`. */
export function writeRtpHeader(packet: Uint8Array, header: RtpHeader): void {
  packet[0] = VERSION << 6;
  packet[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  packet[2] = header.seq >>> 8;
  packet[3] = header.seq;
  writeUint32(packet, 4, header.timestamp);
  writeUint32(packet, 8, header.ssrc);
}

/** One packet of its own. */
export function buildRtp(header: RtpHeader, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length);
  writeRtpHeader(packet, header);
  packet.set(payload, RTP_HEADER_BYTES);
  return packet;
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((readUint16(bytes, at) << 16) | readUint16(bytes, at + 2)) >>> 0;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/**
 * ITU-T G.711 by table: µ-law (Table 2) and A-law (Table 1), on 16-bit linear samples.
 */

/** Moves the segments' borders to powers of two: 33 of G.711's 14-bit units. */
const ULAW_BIAS = 33 << 2;
const ULAW_CLIP = 32_635;
/** A-law inverts its even bits on the line. */
const ALAW_TOGGLE = 0x55;

const ULAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, code) => linearOfUlaw(code));
const ALAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, code) => linearOfAlaw(code));
const LINEAR_TO_ULAW = Uint8Array.from({ length: 65_536 }, (_, i) => ulawOfLinear((i << 16) >> 16));
const LINEAR_TO_ALAW = Uint8Array.from({ length: 65_536 }, (_, i) => alawOfLinear((i << 16) >> 16));

/** One µ-law byte per sample. `into`, if given, is filled and returned; it must be as long as `pcm`. */
export function encodeUlaw(pcm: Int16Array, into = new Uint8Array(pcm.length)): Uint8Array {
  return encode(pcm, LINEAR_TO_ULAW, into);
}

/** One sample per µ-law byte. `into`, if given, is filled and returned; it must be as long as `bytes`. */
export function decodeUlaw(bytes: Uint8Array, into = new Int16Array(bytes.length)): Int16Array {
  return decode(bytes, ULAW_TO_LINEAR, into);
}

/** One A-law byte per sample. `into`, if given, is filled and returned; it must be as long as `pcm`. */
export function encodeAlaw(pcm: Int16Array, into = new Uint8Array(pcm.length)): Uint8Array {
  return encode(pcm, LINEAR_TO_ALAW, into);
}

/** One sample per A-law byte. `into`, if given, is filled and returned; it must be as long as `bytes`. */
export function decodeAlaw(bytes: Uint8Array, into = new Int16Array(bytes.length)): Int16Array {
  return decode(bytes, ALAW_TO_LINEAR, into);
}

function encode(pcm: Int16Array, table: Uint8Array, into: Uint8Array): Uint8Array {
  for (let i = 0; i < pcm.length; i += 1) into[i] = table[(pcm[i] as number) & 0xffff] as number;
  return into;
}

function decode(bytes: Uint8Array, table: Int16Array, into: Int16Array): Int16Array {
  for (let i = 0; i < bytes.length; i += 1) into[i] = table[bytes[i] as number] as number;
  return into;
}

function linearOfUlaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << ((bits >> 4) & 7)) - ULAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
}

function ulawOfLinear(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff;
}

function linearOfAlaw(code: number): number {
  const bits = code ^ ALAW_TOGGLE;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function alawOfLinear(sample: number): number {
  // A-law has no zero: -1 is the first negative value and must mirror 0.
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = Math.max(0, 28 - Math.clz32(magnitude));
  const step = (segment < 2 ? magnitude : magnitude >> (segment - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ ALAW_TOGGLE;
}

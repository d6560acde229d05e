/** What Asterisk's AudioSocket carries: a byte of kind, two of length, then so many bytes. */
export type AudioSocketFrame =
  | { readonly kind: 'hangup' }
  /** The first of each connection: whose audio it is, in the usual 36 characters. */
  | { readonly kind: 'uuid'; readonly uuid: string }
  | { readonly kind: 'key'; readonly key: string }
  /** 16-bit linear, little-endian, mono. A view into what was read. */
  | { readonly kind: 'audio'; readonly sampleRate: number; readonly audio: Uint8Array }
  /** 1: the caller has hung up, 2: a frame could not be passed on, 4: no memory. */
  | { readonly kind: 'error'; readonly code: number }
  /** Of a kind that is not known, or not as long as its kind must be. */
  | { readonly kind: 'unknown'; readonly type: number };

const HEADER_BYTES = 3;

const HANGUP = 0x00;
const UUID = 0x01;
const KEY = 0x03;
const ERROR = 0xff;
/** Kinds 0x10 to 0x18, by their sampling rate in Hz. */
const AUDIO = 0x10;
const AUDIO_RATES = [8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000] as const;

/** Makes frames of a byte stream, however it is cut. It holds at most one frame, which is 64 KiB. */
export class AudioSocketReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** @returns the frames that are whole now */
  read(chunk: Uint8Array): AudioSocketFrame[] {
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    const frames: AudioSocketFrame[] = [];
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const length = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
      const end = at + HEADER_BYTES + length;
      if (end > bytes.length) break;
      frames.push(frameOf(bytes[at] as number, bytes.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

export function hangupFrame(): Uint8Array {
  return framed(HANGUP, new Uint8Array(0));
}

export function uuidFrame(uuid: string): Uint8Array {
  return framed(
    UUID,
    Uint8Array.from(uuid.replaceAll('-', '').match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
  );
}

export function keyFrame(key: string): Uint8Array {
  return framed(KEY, Uint8Array.of(key.charCodeAt(0)));
}

export function errorFrame(code: number): Uint8Array {
  return framed(ERROR, Uint8Array.of(code));
}

/** @param audio 16-bit linear, little-endian, at most 65,535 bytes */
export function audioFrame(sampleRate: number, audio: Uint8Array): Uint8Array {
  return framed(AUDIO + AUDIO_RATES.indexOf(sampleRate as (typeof AUDIO_RATES)[number]), audio);
}

function frameOf(type: number, payload: Uint8Array): AudioSocketFrame {
  const sampleRate = AUDIO_RATES[type - AUDIO];
  if (sampleRate !== undefined && payload.length > 0 && payload.length % 2 === 0)
    return { kind: 'audio', sampleRate, audio: payload };
  if (type === HANGUP) return { kind: 'hangup' };
  if (type === UUID && payload.length === 16) return { kind: 'uuid', uuid: uuidOf(payload) };
  if (type === KEY && payload.length === 1) return { kind: 'key', key: String.fromCharCode(payload[0] as number) };
  if (type === ERROR) return { kind: 'error', code: payload[0] ?? 0 };
  return { kind: 'unknown', type };
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function framed(type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = type;
  frame[1] = payload.length >> 8;
  frame[2] = payload.length;
  frame.set(payload, HEADER_BYTES);
  return frame;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from './g711.ts';

/** Asterisk's own names, as they stand in `format` of `POST /channels/externalMedia`. */
export const formatNames = ['ulaw', 'alaw', 'slin', 'slin16', 'slin24', 'slin48'] as const;

export type FormatName = (typeof formatNames)[number];

/** How audio is written as bytes: mono, a fixed number of bytes per sample. */
export interface AudioFormat {
  readonly name: FormatName;
  /** `slin` is 16-bit linear, little-endian (RTP alone has it big-endian: the transport swaps). */
  readonly encoding: 'ulaw' | 'alaw' | 'slin';
  /** Hz. */
  readonly sampleRate: number;
  readonly bytesPerSample: number;
  /** Bytes of one 20 ms frame. */
  readonly frameBytes: number;
  /** The byte that silence is made of. */
  readonly silenceByte: number;
}

/** All that is sent and played goes in frames of this length, milliseconds. */
export const FRAME_MS = 20;

const formats: Readonly<Record<FormatName, AudioFormat>> = {
  ulaw: format('ulaw', 'ulaw', 8000),
  alaw: format('alaw', 'alaw', 8000),
  slin: format('slin', 'slin', 8000),
  slin16: format('slin16', 'slin', 16_000),
  slin24: format('slin24', 'slin', 24_000),
  slin48: format('slin48', 'slin', 48_000),
};

export function formatNamed(name: FormatName): AudioFormat {
  return formats[name];
}

/** Milliseconds of audio in so many bytes. */
export function msOfBytes(of: AudioFormat, bytes: number): number {
  return (bytes * 1000) / (of.bytesPerSample * of.sampleRate);
}

/** Whole samples' bytes for so many milliseconds. */
export function bytesOfMs(of: AudioFormat, ms: number): number {
  return Math.round((ms * of.sampleRate) / 1000) * of.bytesPerSample;
}

export function toPcm(of: AudioFormat, bytes: Uint8Array): Int16Array {
  const samples = Math.floor(bytes.length / of.bytesPerSample);
  const pcm = new Int16Array(samples);
  if (of.encoding === 'ulaw') return decodeUlaw(bytes, pcm);
  if (of.encoding === 'alaw') return decodeAlaw(bytes, pcm);
  for (let i = 0; i < samples; i += 1) pcm[i] = (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8);
  return pcm;
}

export function fromPcm(of: AudioFormat, pcm: Int16Array): Uint8Array {
  if (of.encoding === 'ulaw') return encodeUlaw(pcm);
  if (of.encoding === 'alaw') return encodeAlaw(pcm);
  const bytes = new Uint8Array(pcm.length * 2);
  for (let i = 0; i < pcm.length; i += 1) {
    bytes[2 * i] = pcm[i] as number;
    bytes[2 * i + 1] = (pcm[i] as number) >> 8;
  }
  return bytes;
}

function format(name: FormatName, encoding: AudioFormat['encoding'], sampleRate: number): AudioFormat {
  const bytesPerSample = encoding === 'slin' ? 2 : 1;
  const silenceByte = { ulaw: 0xff, alaw: 0xd5, slin: 0 }[encoding];
  return { name, encoding, sampleRate, bytesPerSample, silenceByte, frameBytes: (sampleRate / 50) * bytesPerSample };
}

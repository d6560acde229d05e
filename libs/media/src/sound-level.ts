import { type AudioFormat, formatNamed, toPcm } from './format.ts';

/** Of each byte of G.711. */
const SQUARES = { ulaw: squaresOf('ulaw'), alaw: squaresOf('alaw') };

function squaresOf(name: 'ulaw' | 'alaw'): Float64Array {
  const all = toPcm(
    formatNamed(name),
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  );
  return Float64Array.from(all, (sample) => sample * sample);
}

/** What silence is said to be: one step of 16 bits below full scale, since a logarithm has no value for it. */
export const SILENCE_DBFS = -96;

/**
 * Root mean square of a stretch of audio in dB below full scale, -96..0.
 *
 * A full-scale sine is -3; speech on a telephone line is about -35 (soft) to -15 (loud), line noise below -50.
 */
export function dbfsOf(pcm: Int16Array): number {
  return dbfsOfEnergy(energyOf(pcm), pcm.length);
}

/** The sum of the squares of all samples of `bytes`, without decoding them first: each frame of each call is measured. */
function energyOfBytes(of: AudioFormat, bytes: Uint8Array): number {
  let energy = 0;
  if (of.encoding === 'slin') {
    for (let i = 0; i + 1 < bytes.length; i += 2) {
      const sample = (((bytes[i] as number) | ((bytes[i + 1] as number) << 8)) << 16) >> 16;
      energy += sample * sample;
    }
    return energy;
  }
  const squares = SQUARES[of.encoding];
  for (let i = 0; i < bytes.length; i += 1) energy += squares[bytes[i] as number] as number;
  return energy;
}

function energyOf(pcm: Int16Array): number {
  let energy = 0;
  for (let i = 0; i < pcm.length; i += 1) energy += (pcm[i] as number) ** 2;
  return energy;
}

function dbfsOfEnergy(energy: number, samples: number): number {
  if (energy === 0) return SILENCE_DBFS;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(energy / samples / 32_768 ** 2));
}

/** The loudest second of a stream. A stream shorter than that is taken as a whole. */
export class LoudestSecond {
  readonly #format: AudioFormat;
  #energy = 0;
  #samples = 0;
  #loudest: number | undefined;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  /** @returns the level of this stretch alone, as {@link dbfsOf} */
  add(bytes: Uint8Array): number {
    const { bytesPerSample, sampleRate } = this.#format;
    const energy = energyOfBytes(this.#format, bytes);
    const samples = Math.floor(bytes.length / bytesPerSample);
    this.#energy += energy;
    this.#samples += samples;
    if (this.#samples >= sampleRate) {
      this.#loudest = Math.max(this.#loudest ?? SILENCE_DBFS, dbfsOfEnergy(this.#energy, this.#samples));
      this.#energy = 0;
      this.#samples = 0;
    }
    return dbfsOfEnergy(energy, samples);
  }

  get dbfs(): number {
    return this.#loudest ?? dbfsOfEnergy(this.#energy, this.#samples);
  }
}

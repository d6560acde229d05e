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
  readonly #sampleRate: number;
  #energy = 0;
  #samples = 0;
  #loudest: number | undefined;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** @returns the level of this stretch alone, as {@link dbfsOf} */
  add(pcm: Int16Array): number {
    const energy = energyOf(pcm);
    this.#energy += energy;
    this.#samples += pcm.length;
    if (this.#samples >= this.#sampleRate) {
      this.#loudest = Math.max(this.#loudest ?? SILENCE_DBFS, dbfsOfEnergy(this.#energy, this.#samples));
      this.#energy = 0;
      this.#samples = 0;
    }
    return dbfsOfEnergy(energy, pcm.length);
  }

  get dbfs(): number {
    return this.#loudest ?? dbfsOfEnergy(this.#energy, this.#samples);
  }
}

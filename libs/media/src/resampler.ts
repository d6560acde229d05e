export interface ResamplerOptions {
  /** Hz: 8000, 16000, 22050, 24000 or 48000. */
  fromHz: number;
  /** Hz: 8000, 16000, 24000 or 48000. */
  toHz: number;
}

/**
 * Length of the filter in samples of the slower side: its transition band is then as wide as telephony leaves free, 3400 to
 * 4600 Hz at 8 kHz, with images and aliases 60 dB below.
 */
const TAPS_AT_SLOWER_RATE = 24;

/** Kaiser's window for 60 dB. */
const KAISER_BETA = 5.65;

/** Input is worked off in stretches of at most so many samples: 20 ms at 48 kHz. */
const STRETCH = 960;

/**
 * Changes the sampling rate of one stream of linear samples: windowed sinc, in as many phases as the rates need. What goes in at
 * once does not change what comes out. The sound is delayed by 12 samples of the slower side (1.5 ms at 8 kHz).
 */
export class Resampler {
  /** The common rate over each side's: `up` times `fromHz` is `down` times `toHz`. */
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  /** Each phase's taps in the order of the samples, one phase after the other. */
  readonly #phases: Float64Array;
  /** The last samples before this stretch, then the stretch. */
  readonly #line: Float64Array;
  /** Where the next result stands, in steps of the common rate from the next sample: 0 and up. */
  #next = 0;

  constructor({ fromHz, toHz }: ResamplerOptions) {
    const common = greatestCommonDivisor(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    // A multiple of 4 for the sums below; it is one by itself where the rates are multiples of 8 kHz.
    this.#taps = 4 * Math.ceil((TAPS_AT_SLOWER_RATE / 4) * Math.max(1, this.#down / this.#up));
    this.#phases = phasesOf(this.#up, this.#taps, Math.max(this.#up, this.#down));
    this.#line = new Float64Array(this.#taps - 1 + STRETCH);
  }

  /** @returns what is ready of the stream so far; `samples` themselves where the rates are equal */
  process(samples: Int16Array): Int16Array {
    if (this.#up === this.#down) return samples;
    const ready = Math.max(0, Math.ceil((samples.length * this.#up - this.#next) / this.#down));
    const result = new Int16Array(ready);
    let written = 0;
    for (let from = 0; from < samples.length; from += STRETCH)
      written = this.#stretch(samples, from, Math.min(STRETCH, samples.length - from), result, written);
    return result;
  }

  #stretch(samples: Int16Array, from: number, length: number, result: Int16Array, written: number): number {
    const line = this.#line;
    const phases = this.#phases;
    const up = this.#up;
    const taps = this.#taps;
    const history = taps - 1;
    for (let i = 0; i < length; i += 1) line[history + i] = samples[from + i] as number;
    const end = length * up;
    let at = this.#next;
    let out = written;
    for (; at < end; at += this.#down) {
      const first = (at / up) | 0;
      let tap = (at - first * up) * taps;
      // Four sums side by side: the processor need not wait for one to go on with the next. `taps` is a multiple of 4.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      const last = first + taps;
      for (let i = first; i < last; i += 4, tap += 4) {
        a += (line[i] as number) * (phases[tap] as number);
        b += (line[i + 1] as number) * (phases[tap + 1] as number);
        c += (line[i + 2] as number) * (phases[tap + 2] as number);
        d += (line[i + 3] as number) * (phases[tap + 3] as number);
      }
      const sum = Math.round(a + b + c + d);
      result[out] = Math.max(-32_768, Math.min(32_767, sum));
      out += 1;
    }
    this.#next = at - end;
    line.copyWithin(0, length, length + history);
    return out;
  }
}

/** @param slower the common rate over the slower side's */
function phasesOf(up: number, taps: number, slower: number): Float64Array {
  const phases = new Float64Array(up * taps);
  // A zero of the sinc stands at each end, so that the filter is symmetrical about a whole number of samples.
  const middle = (up * taps) / 2;
  for (let phase = 0; phase < up; phase += 1) {
    const own = phases.subarray(phase * taps, (phase + 1) * taps);
    for (let i = 0; i < taps; i += 1) {
      const at = (taps - 1 - i) * up + phase - middle;
      own[i] = sinc(at / slower) * kaiser(at / middle);
    }
    // Each by itself lets a constant pass as it is: else the phases' differences would be heard as a tone.
    const sum = own.reduce((a, b) => a + b, 0);
    for (let i = 0; i < taps; i += 1) own[i] = (own[i] as number) / sum;
  }
  return phases;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param x -1..1 over the window */
function kaiser(x: number): number {
  return besselI0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - x * x))) / besselI0(KAISER_BETA);
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

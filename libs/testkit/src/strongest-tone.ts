import { toneLevel } from '@callfleet/media';

/** Samples of one spectrum: bins of 7.8 Hz at 8 kHz. */
const SIZE = 1024;

/** Below this share of the power it is no tone that stands out. */
const MIN_LEVEL = 0.1;

/** A tone's power spreads over so many bins to each side of its own (Hann window). */
const SPREAD_BINS = 3;

/**
 * The tone that holds most of a signal's power; undefined where none holds a tenth of it, and for silence.
 *
 * @param except tones that are not looked for
 */
export function strongestTone(
  pcm: Int16Array,
  sampleRate: number,
  except: readonly number[] = [],
): { hz: number; level: number } | undefined {
  const power = powerSpectrum(pcm);
  const hzPerBin = sampleRate / SIZE;
  let peak = 0;
  for (let bin = 2; bin < power.length - 1; bin += 1) {
    if (except.some((hz) => Math.abs(hz / hzPerBin - bin) <= SPREAD_BINS)) continue;
    if ((power[bin] as number) > (power[peak] as number) || peak === 0) peak = bin;
  }
  if (!power[peak]) return undefined;
  const hz = (peak + offsetOfPeak(power, peak)) * hzPerBin;
  const level = toneLevel(pcm, sampleRate, hz);
  return level >= MIN_LEVEL ? { hz: Math.round(hz), level } : undefined;
}

/** The mean over all pieces of {@link SIZE} samples; a signal that is shorter is padded with silence. */
function powerSpectrum(pcm: Int16Array): Float64Array {
  const power = new Float64Array(SIZE / 2);
  for (let start = 0; start === 0 || start + SIZE <= pcm.length; start += SIZE) {
    const length = Math.min(SIZE, pcm.length - start);
    const re = new Float64Array(SIZE);
    const im = new Float64Array(SIZE);
    for (let i = 0; i < length; i += 1) {
      re[i] = (pcm[start + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length));
    }
    transform(re, im);
    for (let bin = 0; bin < power.length; bin += 1) {
      power[bin] = (power[bin] as number) + (re[bin] as number) ** 2 + (im[bin] as number) ** 2;
    }
  }
  return power;
}

/** Where between the bins the peak is, -0.5..0.5: the top of the parabola through three bins' logarithms. */
function offsetOfPeak(power: Float64Array, peak: number): number {
  const [left, top, right] = [-1, 0, 1].map((step) => Math.log((power[peak + step] ?? 0) + 1e-9)) as [
    number,
    number,
    number,
  ];
  const curve = left - 2 * top + right;
  return curve === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (left - right) / (2 * curve)));
}

/** Fast Fourier transform in place, radix 2. */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j] as number, re[i] as number];
      [im[i], im[j]] = [im[j] as number, im[i] as number];
    }
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k += 1) {
      const angle = (-Math.PI * k) / half;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let a = k; a < n; a += 2 * half) {
        const b = a + half;
        const [rb, ib] = [re[b] as number, im[b] as number];
        const [tr, ti] = [rb * cos - ib * sin, rb * sin + ib * cos];
        const [ra, ia] = [re[a] as number, im[a] as number];
        [re[a], im[a], re[b], im[b]] = [ra + tr, ia + ti, ra - tr, ia - ti];
      }
    }
  }
}

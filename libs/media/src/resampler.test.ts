import { ConverterType, create } from '@alexanderolsen/libsamplerate-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Resampler } from './resampler.ts';
import { tone } from './tone.ts';

const rates = [8000, 16_000, 24_000, 48_000] as const;
const pairs = rates.flatMap((fromHz) => rates.filter((toHz) => toHz !== fromHz).map((toHz) => ({ fromHz, toHz })));

/** What the filter takes, in seconds: 12 samples of the slower side. */
const delayOf = ({ fromHz, toHz }: { fromHz: number; toHz: number }) => 12 / Math.min(fromHz, toHz);

/** A sum of sines at `sampleRate`, each with its phase at the time 0; `late` seconds later. */
function sines(parts: Array<{ hz: number; level: number; phase: number }>, sampleRate: number, n: number, late = 0) {
  return Float64Array.from({ length: n }, (_, i) => {
    const t = i / sampleRate - late;
    return parts.reduce((sum, { hz, level, phase }) => sum + level * Math.sin(2 * Math.PI * hz * t + phase), 0);
  });
}

const rounded = (signal: Float64Array) => Int16Array.from(signal, Math.round);

/** Power of `wanted` over that of what `got` has beside it, dB, without the ends, where the filter is half empty. */
function snrDb(got: Int16Array, wanted: Float64Array): number {
  let signal = 0;
  let noise = 0;
  for (let i = 600; i < got.length - 600; i += 1) {
    signal += (wanted[i] as number) ** 2;
    noise += ((got[i] as number) - (wanted[i] as number)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

const power = (pcm: Int16Array) => pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;

/** A second of noise that has nothing outside of 300 to 3400 Hz; the same each time. */
const noise = Array.from({ length: 200 }, (_, i) => ({ hz: 300 + i * 15.5, level: 600, phase: (i * i * 2.4) % 6.28 }));

describe('the telephone band, 300 to 3400 Hz', () => {
  test.each([300, 440, 1000, 2000, 3000, 3400])('survives from 8 to 24 kHz and back: a tone of %d Hz', (hz) => {
    const part = [{ hz, level: 16_000, phase: 0 }];
    const there = new Resampler({ fromHz: 8000, toHz: 24_000 }).process(rounded(sines(part, 8000, 8000)));
    const back = new Resampler({ fromHz: 24_000, toHz: 8000 }).process(there);
    expect(snrDb(there, sines(part, 24_000, 24_000, 12 / 8000))).toBeGreaterThan(55);
    expect(snrDb(back, sines(part, 8000, 8000, 24 / 8000))).toBeGreaterThan(50);
  });

  test('survives from 8 to 24 kHz and back: noise', () => {
    const there = new Resampler({ fromHz: 8000, toHz: 24_000 }).process(rounded(sines(noise, 8000, 8000)));
    const back = new Resampler({ fromHz: 24_000, toHz: 8000 }).process(there);
    expect(snrDb(there, sines(noise, 24_000, 24_000, 12 / 8000))).toBeGreaterThan(55);
    expect(snrDb(back, sines(noise, 8000, 8000, 24 / 8000))).toBeGreaterThan(50);
  });

  test.each(pairs)('survives from $fromHz to $toHz Hz', (pair) => {
    const got = new Resampler(pair).process(rounded(sines(noise, pair.fromHz, pair.fromHz)));
    expect(got).toHaveLength(pair.toHz);
    expect(snrDb(got, sines(noise, pair.toHz, pair.toHz, delayOf(pair)))).toBeGreaterThan(55);
  });

  test.each([8000, 16_000, 24_000, 48_000])('survives from the 22050 Hz of synthesized speech to %d Hz', (toHz) => {
    const got = new Resampler({ fromHz: 22_050, toHz }).process(rounded(sines(noise, 22_050, 22_050)));
    expect(got).toHaveLength(toHz);
    // As long as the filter of the other rates, in whole fours of samples.
    const delay = toHz === 8000 ? 34 : toHz === 16_000 ? 18 : 12;
    expect(snrDb(got, sines(noise, toHz, toHz, delay / 22_050))).toBeGreaterThan(55);
  });

  test('sounds as libsamplerate has it', async () => {
    const input = rounded(sines(noise, 8000, 16_000));
    const got = new Resampler({ fromHz: 8000, toHz: 24_000 }).process(input);
    const oracle = await create(1, 8000, 24_000, { converterType: ConverterType.SRC_SINC_BEST_QUALITY });
    const wanted = oracle.simple(Float32Array.from(input, (sample) => sample / 32_768));
    expect(wanted.length).toBeGreaterThan(40_000);
    // Libsamplerate leaves out the filter's delay: 36 samples.
    const late = Float64Array.from(wanted, (_, i) => (wanted[i - 36] ?? 0) * 32_768);
    expect(snrDb(got.subarray(0, wanted.length), late)).toBeGreaterThan(50);
  });
});

describe('what does not belong into the band', () => {
  const level = (got: Int16Array, input: Int16Array) => 10 * Math.log10(power(got.subarray(600)) / power(input));

  test.each([4700, 5000, 6000, 7777, 8100, 10_000, 11_900])('a tone of %d Hz leaves no alias at 8 kHz', (hz) => {
    for (const fromHz of [22_050, 24_000, 48_000]) {
      if (hz > fromHz / 2) continue;
      const input = tone({ hz, ms: 1000, sampleRate: fromHz });
      expect(level(new Resampler({ fromHz, toHz: 8000 }).process(input), input)).toBeLessThan(-55);
    }
  });

  test.each([300, 1000, 3000, 3400])('a tone of %d Hz at 8 kHz leaves no image above', (hz) => {
    for (const toHz of [16_000, 24_000, 48_000]) {
      const input = tone({ hz, ms: 1000, sampleRate: 8000 });
      const got = new Resampler({ fromHz: 8000, toHz }).process(input);
      // Taking the tone itself away leaves its images.
      const wanted = sines([{ hz, level: 16_383.5, phase: 0 }], toHz, toHz, 12 / 8000);
      expect(snrDb(got, wanted)).toBeGreaterThan(55);
    }
  });
});

describe('a stream', () => {
  test('comes out the same however it is cut', () => {
    const cuts = fc.array(fc.nat({ max: 2500 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...pairs), cuts, (pair, lengths) => {
        const input = tone({ hz: 700, ms: 500, sampleRate: pair.fromHz });
        const whole = new Resampler(pair).process(input);
        const resampler = new Resampler(pair);
        const parts: number[] = [];
        let at = 0;
        for (const length of [...lengths, input.length]) {
          parts.push(...resampler.process(input.subarray(at, at + length)));
          at += length;
        }
        expect(parts).toEqual([...whole]);
      }),
      { numRuns: 40 },
    );
  });

  test('has frames of 20 ms made of frames of 20 ms', () => {
    for (const { fromHz, toHz } of pairs) {
      const resampler = new Resampler({ fromHz, toHz });
      for (let i = 0; i < 4; i += 1) expect(resampler.process(new Int16Array(fromHz / 50))).toHaveLength(toHz / 50);
    }
  });

  test('of equal rates passes as it is', () => {
    const frame = tone({ hz: 440, ms: 20, sampleRate: 8000 });
    expect(new Resampler({ fromHz: 8000, toHz: 8000 }).process(frame)).toBe(frame);
  });

  test('of constant loudness stays constant, without a tone of its own', () => {
    for (const pair of pairs) {
      const got = new Resampler(pair).process(new Int16Array(pair.fromHz).fill(20_000));
      expect(new Set(got.subarray(1000))).toEqual(new Set([20_000]));
    }
  });

  test('at full loudness is cut at the ends of the range, and does not wrap', () => {
    const square = Int16Array.from({ length: 8000 }, (_, i) => (i % 20 < 10 ? 32_767 : -32_768));
    const got = new Resampler({ fromHz: 8000, toHz: 24_000 }).process(square);
    expect(Math.max(...got)).toBe(32_767);
    expect(Math.min(...got)).toBe(-32_768);
    // Between two samples of one sign is none of the other.
    const settled = got.subarray(600, 20_000);
    const signs = settled.reduce(
      (changes, sample, i) => changes + (i > 0 && sample * (settled[i - 1] as number) < 0 ? 1 : 0),
      0,
    );
    expect(signs).toBeLessThanOrEqual(19_400 / 30 + 1);
  });
});

import { describe, expect, test } from 'vitest';
import { decodeUlaw, encodeUlaw } from './g711.ts';
import { toneLevel } from './goertzel.ts';
import { tone } from './tone.ts';

const second = { ms: 1000, sampleRate: 8000 };

describe('the level of a tone', () => {
  test('is 1 for itself and nearly 0 for its neighbours, loud or soft', () => {
    for (const level of [0.02, 0.9]) {
      const pcm = tone({ ...second, hz: 440, level });
      expect(toneLevel(pcm, 8000, 440)).toBeGreaterThan(0.98);
      for (const hz of [220, 400, 480, 880, 1000]) expect(toneLevel(pcm, 8000, hz)).toBeLessThan(0.01);
    }
  });

  test('survives µ-law', () => {
    expect(toneLevel(decodeUlaw(encodeUlaw(tone({ ...second, hz: 1000 }))), 8000, 1000)).toBeGreaterThan(0.98);
  });

  test('is shared by two tones that sound together', () => {
    const [low, high] = [tone({ ...second, hz: 697, level: 0.3 }), tone({ ...second, hz: 1209, level: 0.3 })];
    const both = low.map((sample, i) => sample + (high[i] ?? 0));
    for (const hz of [697, 1209]) expect(toneLevel(both, 8000, hz)).toBeCloseTo(0.5, 1);
  });

  test('is 0 in silence and in noise', () => {
    expect(toneLevel(new Int16Array(8000), 8000, 440)).toBe(0);
    expect(toneLevel(new Int16Array(0), 8000, 440)).toBe(0);
    let state = 1;
    const noise = new Int16Array(8000).map(() => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 16) - 32_768;
    });
    expect(toneLevel(noise, 8000, 440)).toBeLessThan(0.02);
  });
});

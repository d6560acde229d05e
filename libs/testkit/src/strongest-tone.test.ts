import { tone } from '@callfleet/media';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { strongestTone } from './strongest-tone.ts';

test('any tone of the telephone band is found to within 3 Hz', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 3400 }), fc.integer({ min: 100, max: 1000 }), (hz, ms) => {
      const found = strongestTone(tone({ hz, ms, sampleRate: 8000 }), 8000);
      expect(Math.abs((found?.hz ?? 0) - hz)).toBeLessThanOrEqual(3);
      expect(found?.level).toBeGreaterThan(0.7);
    }),
  );
});

test('silence and noise hold none', () => {
  expect(strongestTone(new Int16Array(8000), 8000)).toBeUndefined();
  expect(strongestTone(new Int16Array(0), 8000)).toBeUndefined();
  let seed = 1;
  const noise = Int16Array.from({ length: 8000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return (seed >> 8) % 8000;
  });
  expect(strongestTone(noise, 8000)).toBeUndefined();
});

test('the second strongest is found when the strongest is not looked for', () => {
  const low = tone({ hz: 440, ms: 500, sampleRate: 8000, level: 0.5 });
  const high = tone({ hz: 1200, ms: 500, sampleRate: 8000, level: 0.4 });
  const both = low.map((sample, i) => sample + (high[i] ?? 0));
  expect(strongestTone(both, 8000)?.hz).toBe(440);
  expect(strongestTone(both, 8000, [440])?.hz).toBe(1200);
});

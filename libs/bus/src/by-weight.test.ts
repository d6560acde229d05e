import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byWeight } from './by-weight.ts';

const pbxs = fc.uniqueArray(fc.record({ name: fc.string(), weight: fc.double({ min: 0, max: 100, noNaN: true }) }), {
  selector: ({ name }) => name,
});
const lot = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('each PBX that has a weight is tried once, and none that has not', () => {
  fc.assert(
    fc.property(pbxs, lot, (all, random) => {
      const weighed = all.filter(({ weight }) => weight > 0).map(({ name }) => name);
      expect(byWeight(all, () => random).sort()).toEqual(weighed.sort());
    }),
  );
});

test('who comes first is by weight: of three PBXs with 1, 2 and 5 in eight lots', () => {
  const three = [{ name: 'a' }, { name: 'b', weight: 2 }, { name: 'c', weight: 5 }];
  const first = Array.from({ length: 8 }, (_, n) => byWeight(three, () => n / 8)[0]);
  expect(first.join('')).toBe('abbccccc');
});

test('without the first the others keep their shares', () => {
  const lots = [0, 0.5];
  expect(byWeight([{ name: 'a' }, { name: 'b' }, { name: 'c', weight: 3 }], () => lots.shift() ?? 0)).toEqual([
    'a',
    'c',
    'b',
  ]);
});

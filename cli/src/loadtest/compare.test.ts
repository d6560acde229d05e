import { expect, test } from 'vitest';
import type { Measure, Result } from '../verdict.ts';
import { changesBetween } from './compare.ts';

const machine = { cores: 2, cpu: 'a processor', node: 'v24' };
const resultOf = (...measures: Array<Partial<Measure> & Pick<Measure, 'what' | 'value'>>): Result => ({
  ...{ name: 'loadtest ramp', at: '2026-11-21T13:00:00.000Z', machine, missed: [], raw: {} },
  measures: measures.map((measure) => ({ unit: 'ms', how: '', ...measure })),
});

test('a longer set-up is worse, a shorter one better, a little either way is noise', () => {
  const before = resultOf({ what: 'set-up p99', value: 100 });
  const now = (value: number) => resultOf({ what: 'set-up p99', value, target: { atMost: 500 } });
  expect(changesBetween(before, now(150))).toEqual([
    { what: 'set-up p99', unit: 'ms', before: 100, after: 150, percent: 50, is: 'worse' },
  ]);
  expect(changesBetween(before, now(50))[0]?.is).toBe('better');
  expect(changesBetween(before, now(105))[0]?.is).toBe('same');
});

test('fewer calls are worse where many are wanted, and one call lost is worse than none', () => {
  const before = resultOf({ what: 'calls at once', value: 1000 }, { what: 'left behind', value: 0 });
  const now = resultOf(
    { what: 'calls at once', value: 500, target: { atLeast: 1000 } },
    { what: 'left behind', value: 1, target: { atMost: 0 } },
  );
  expect(changesBetween(before, now).map((change) => change.is)).toEqual(['worse', 'worse']);
});

test('what was not measured before, and what nothing is wanted of, is neither', () => {
  const before = resultOf({ what: 'memory', value: 100 });
  const now = resultOf({ what: 'memory', value: 900 }, { what: 'new', value: 1, target: { atMost: 5 } });
  expect(changesBetween(before, now)).toMatchObject([
    { what: 'memory', percent: 800, is: 'same' },
    { what: 'new', before: undefined, percent: undefined, is: 'same' },
  ]);
});

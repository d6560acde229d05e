import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../repository.ts';
import { sectionOf, withResults } from './report.ts';

test('a result is shown with its targets, and says whether they were held', () => {
  const machine = { cores: 2, cpu: 'a processor', node: 'v24' };
  const measure = { what: 'events lost', target: { atMost: 0 }, value: 3, unit: '', how: 'sent and not stored' };
  const result = { name: 'bench gateway', at: '2026-11-21T13:00:00.000Z', machine, measures: [measure], raw: {} };
  expect(sectionOf({ ...result, missed: ['events lost'] })).toBe(`### bench gateway: missed

2026-11-21, 2 cores (a processor), Node v24

| what        | measured | target | how                 |
| ----------- | -------- | ------ | ------------------- |
| events lost | 3        | ≤ 0    | sent and not stored |
`);
  expect(sectionOf({ ...result, missed: [] })).toContain('### bench gateway: held');
});

test('a result takes the place of the one before, and results of other benches stay where they are', () => {
  const machine = { cores: 2, cpu: 'a processor', node: 'v24' };
  const result = (name: string, value: number) => ({
    ...{ name, at: '2026-11-21T13:00:00.000Z', machine, missed: [], raw: {} },
    measures: [{ what: 'calls', value, unit: '', how: '' }],
  });
  const page = withResults('', [result('bench gateway', 1), result('bench media', 2)]);
  const later = withResults(`\n\n${page}\n`, [result('bench cluster', 3), result('bench gateway', 4)]);
  expect(later).toBe(
    withResults('', [result('bench gateway', 4), result('bench media', 2), result('bench cluster', 3)]),
  );
});

test('what is written is in the form that the checks of the repository ask for', () => {
  const machine = { cores: 2, cpu: 'a *fast* processor_', node: 'v24' };
  const measures = [
    { what: 'c', value: 1, unit: '', how: '' },
    {
      what: '*calls* | lost_at_once',
      target: { atMost: 10 },
      value: 12_345.6,
      unit: 'ms',
      how: 'of __all__ `x` <b> [1] \\',
    },
    { what: 'p50, times the direct p50', target: { atLeast: 1.5 }, value: 6.4, unit: '×', how: 'of 5 * 3 rounds…' },
  ];
  const result = { at: '2026-11-21T13:00:00.000Z', machine, measures, missed: [], raw: {} };
  const written = withResults('', [
    { ...result, name: 'bench gateway' },
    { ...result, name: 'bench media', measures: measures.slice(0, 1) },
  ]);
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const formatted = execFileSync(biome, ['format', '--stdin-file-path=page.md'], { cwd: ROOT, input: written });
  expect(written).toBe(formatted.toString());
});

import { expect, test } from 'vitest';
import { sectionOf } from './report.ts';

test('a result is shown with its targets, and says whether they were held', () => {
  const machine = { cores: 2, cpu: 'a processor', node: 'v24' };
  const measure = { what: 'events lost', target: { atMost: 0 }, value: 3, unit: '', how: 'sent and not stored' };
  const result = { name: 'bench gateway', at: '2026-11-21T13:00:00.000Z', machine, measures: [measure], raw: {} };
  expect(sectionOf({ ...result, missed: ['events lost'] })).toBe(`### bench gateway: missed

2026-11-21, 2 cores (a processor), Node v24

| what | measured | target | how |
| --- | --- | --- | --- |
| events lost | 3 | ≤ 0 | sent and not stored |
`);
  expect(sectionOf({ ...result, missed: [] })).toContain('### bench gateway: held');
});

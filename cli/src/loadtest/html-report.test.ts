import { expect, test } from 'vitest';
import { htmlReport } from './html-report.ts';

const moment = (atS: number, calls: number) => ({
  ...{ atS, calls, framesSkipped: 0, pacingP99Ms: 1 },
  cores: { gateways: 0.25 },
  residentMiB: { gateways: 90 },
});

test('the page has the verdict, marks what was missed, draws charts, and needs nothing from elsewhere', () => {
  const page = htmlReport([
    {
      result: {
        ...{ name: 'loadtest ramp', at: '2026-11-21T13:00:00.000Z', raw: {} },
        machine: { cores: 2, cpu: 'a <processor>', node: 'v24' },
        measures: [
          { what: 'answered', target: { atLeast: 100 }, value: 99, unit: '%', how: '' },
          { what: 'left behind', target: { atMost: 0 }, value: 0, unit: '', how: '' },
        ],
        missed: ['answered 99 %, ≥ 100 %'],
      },
      moments: [moment(0, 0), moment(10, 500)],
      setUps: [
        { atS: 0.2, ms: 5 },
        { atS: 0.7, ms: 9 },
        { atS: 5, ms: 7 },
      ],
    },
  ]);
  expect(page).toContain('<tr class="missed"><td>answered</td><td>99 %</td>');
  expect(page).toContain('<tr><td>left behind</td>');
  expect(page.match(/<svg/g)).toHaveLength(4);
  expect(page).toContain('a &#60;processor&#62;');
  expect(page).not.toMatch(/src=|href=|https?:/);
});

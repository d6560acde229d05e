import { afterAll, describe, expect, test } from 'vitest';
import { applicationCases } from './conformance-applications.ts';
import { bridgeCases } from './conformance-bridges.ts';
import { callCases } from './conformance-calls.ts';
import { mediaCases } from './conformance-media.ts';
import { soundCases } from './conformance-sounds.ts';
import { type ConformancePbx, ConformanceStage, DIFFERENCES } from './conformance-stage.ts';

/** The one behavioural suite, for a simulated PBX and for a real Asterisk. */
export function describeConformance(pbx: () => ConformancePbx): void {
  const different: string[] = [];

  describe.each([
    ['calls', callCases],
    ['sounds', soundCases],
    ['bridges', bridgeCases],
    ['applications', applicationCases],
    ['media legs', mediaCases],
  ])('%s', (_, cases) => {
    test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, { run, expected }) => {
      const stage = new ConformanceStage(pbx());
      try {
        await run(stage);
        different.push(...stage.different);
        expect(stage.lines.join('\n')).toBe(expected.replace(/^\n/, ''));
      } finally {
        await stage.end();
      }
    });
  });

  afterAll(() => {
    const seen = DIFFERENCES.filter(({ fits }) => different.some(fits)).map(({ name }) => name);
    expect(seen).toEqual(pbx().kind === 'real' ? DIFFERENCES.map(({ name }) => name) : []);
  });
}

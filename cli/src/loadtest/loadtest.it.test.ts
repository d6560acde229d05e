import { expect, test } from 'vitest';
import { scenariosOf } from '../../../loadtest/scenarios.ts';
import { runScenario } from './command.ts';
import { findK6 } from './k6.ts';
import { loadMeasures } from './measures.ts';

const k6 = findK6();

test.skipIf(k6 === undefined)(
  'k6 places calls, and finds them answered, heard, acted on and recorded (skipped where no k6 is: ./callfleet loadtest builds it)',
  async () => {
    const smoke = scenariosOf({ minutes: 1, audioCalls: 10 }).find(({ name }) => name === 'smoke');
    if (!smoke || k6 === undefined) throw new Error('no scenario');
    const { run, moments } = await runScenario(k6, smoke, (line) => console.log(line));
    const measures = loadMeasures(smoke, run, moments);
    const values = Object.fromEntries(measures.map(({ what, value }) => [what, value]));
    expect(values).toMatchObject({
      ...{ calls: 16, answered: 100, 'ended as it must': 100, 'heard its own tone back': 100 },
      ...{ 'digit acted on': 100, 'call record there and right': 100, 'left behind': 0 },
    });
    expect(run.setUps).toHaveLength(16);
  },
  60_000,
);

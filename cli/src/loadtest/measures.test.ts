import { expect, test } from 'vitest';
import { scenariosOf } from '../../../loadtest/scenarios.ts';
import { loadMeasures } from './measures.ts';

const scenarios = scenariosOf({ minutes: 1, audioCalls: 400 });
const ramp = scenarios.find(({ name }) => name === 'ramp');
const metrics = {
  calls: { values: { count: 1000 } },
  setup_ms: { values: { 'p(99)': 80, med: 6, max: 120 } },
  answered: { values: { rate: 0.999 } },
  ended_right: { values: { rate: 1 } },
  record_right: { values: { rate: 1 } },
  heard_own_tone: { values: { rate: 1 } },
  left_behind: { values: { count: 0 } },
};
const moment = (calls: number, pacingP99Ms = Number.NaN, atS = 1) => ({
  atS,
  calls,
  cores: { gateways: 0.1 },
  residentMiB: { gateways: 90 },
  framesSkipped: 0,
  pacingP99Ms,
});

function measured(summary: object, moments = [moment(1000)], scenario = ramp) {
  if (!scenario) throw new Error('no scenario');
  const measures = loadMeasures(scenario, { summary: { metrics, ...summary }, setUps: [] }, moments);
  return new Map(measures.map((measure) => [measure.what, measure]));
}

test('one caller in a thousand who is not answered misses the target', () => {
  expect(measured({}).get('answered')).toMatchObject({ value: 99.9, target: { atLeast: 100 } });
});

test('calls at once are those of the fullest second', () => {
  expect(measured({}, [moment(10), moment(990), moment(400)]).get('calls at once')).toMatchObject({
    value: 990,
    target: { atLeast: 1000 },
  });
});

test('what no caller was asked to do is not in the table, and what was never told is missed', () => {
  expect(measured({}).has('digit acted on')).toBe(false);
  expect(measured({ metrics: {} }).get('answered')?.value).toBeNaN();
  expect(measured({ metrics: {} }).get('set-up p99')?.value).toBeNaN();
  expect(measured({ metrics: {} }).get('left behind')?.value).toBeNaN();
});

test('pacing is that of the worst moment when all calls have been there for a while; unknown, it is missed', () => {
  const audio = scenarios.find(({ name }) => name === 'audio');
  const what = 'pacing error p99 of relays';
  expect(
    measured(
      {},
      [moment(10, 50, 1), moment(400, 30, 20), moment(400, 4, 35), moment(400, 2, 36), moment(9, 9, 37)],
      audio,
    ).get(what),
  ).toMatchObject({ value: 4 });
  expect(measured({}, [moment(400)], audio).get(what)?.value).toBeNaN();
  expect(measured({}).has(what)).toBe(false);
});

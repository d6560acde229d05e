import { expect, test } from 'vitest';
import { scenariosOf } from '../../../loadtest/scenarios.ts';

const scenarios = scenariosOf({ minutes: 8, audioCalls: 1000 });

test.each(scenarios.map((scenario) => [scenario.name, scenario]))('%s is over within ten minutes', (_, scenario) => {
  for (const { count, perSecond, call } of scenario.groups)
    expect(count / perSecond + (call.holdMs ?? 0) / 1000).toBeLessThan(9 * 60);
});

test.each(scenarios.map((scenario) => [scenario.name, scenario]))(
  '%s has as many calls at once as it says',
  (_, scenario) => {
    const together = scenario.groups.reduce(
      (sum, { count, perSecond, call }) => sum + Math.min(count, (perSecond * (call.holdMs ?? 2000)) / 1000),
      0,
    );
    expect(together).toBeGreaterThanOrEqual(scenario.callsAtOnce);
  },
);

test('chaos kills each kind of part while calls still come', () => {
  const chaos = scenarios.find(({ name }) => name === 'chaos');
  expect(chaos?.kills.map(({ victim }) => victim)).toEqual(['worker', 'gateway', 'relay', 'nats']);
  const lastCallAt = Math.max(...(chaos?.groups ?? []).map(({ count, perSecond }) => count / perSecond));
  for (const { afterS } of chaos?.kills ?? []) expect(afterS).toBeLessThan(lastCallAt);
});

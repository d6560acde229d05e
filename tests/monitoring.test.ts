import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../monitoring/dashboards.ts';
import { grafanaFile } from '../monitoring/grafana.ts';
import { alertRules } from './alert-rules.ts';
import { documentedMetrics, knownNames, namesIn } from './documented-metrics.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const list = (path: string) => readdirSync(new URL(`../${path}`, import.meta.url)).toSorted();
const known = knownNames();
const unknownIn = (query: string) => namesIn(query).filter((name) => !known.has(name));

describe('alerts', () => {
  test.each(alertRules())(
    '$alert names metrics that there are, how urgent it is, and a runbook that says what to do',
    (rule) => {
      const { alert, expr, labels, annotations } = rule;
      expect(namesIn(expr).length + (expr.includes('up{') ? 1 : 0)).toBeGreaterThan(0);
      expect(unknownIn(expr)).toEqual([]);
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`);
      const runbook = read(annotations.runbook ?? '');
      expect(runbook.startsWith(`# ${alert}\n`)).toBe(true);
      for (const part of ['What it means', 'What to look at', 'What to do']) expect(runbook).toContain(`**${part}.**`);
      const whole = new Set(documentedMetrics().map(({ name }) => name));
      expect(
        unknownIn(runbook).filter((name) => !whole.has(name)),
        'metrics that the runbook names',
      ).toEqual([]);
    },
  );

  test('each has a test that it fires and one that it does not, and each runbook an alert', () => {
    const alerts = alertRules().map(({ alert }) => alert);
    expect(list('docs/runbooks')).toEqual(alerts.map((alert) => `${alert}.md`).toSorted());
    const { tests } = parse(read('monitoring/alerts.test.yaml')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
    };
    const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    for (const fires of [true, false])
      expect(
        cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
      ).toEqual(expect.arrayContaining(alerts));
  });
});

describe('dashboards', () => {
  const lines = dashboards.flatMap(({ name, panels }) =>
    panels.flatMap(({ title, lines }) => lines.map(({ query }) => ({ name, title, query }))),
  );

  test.each(lines)('$name, $title: $query asks for metrics that there are', ({ query }) => {
    expect(unknownIn(query)).toEqual([]);
  });

  test("Grafana's files are those that monitoring/generate.ts makes", () => {
    expect(list('monitoring/dashboards')).toEqual(dashboards.map(({ name }) => `${name}.json`).toSorted());
    for (const dashboard of dashboards)
      expect(read(`monitoring/dashboards/${dashboard.name}.json`)).toBe(grafanaFile(dashboard));
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../monitoring/dashboards.ts';
import { grafanaFile } from '../monitoring/grafana.ts';
import { alertRules } from './alert-rules.ts';
import { documentedMetrics, knownNames, namesIn } from './documented-metrics.ts';
import { isInSource } from './names-in-source.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const list = (path: string) => readdirSync(new URL(`../${path}`, import.meta.url)).toSorted();
const known = knownNames();
const unknownIn = (query: string) => namesIn(query).filter((name) => !known.has(name));

/** Label values that a query or a runbook picks out: one that is nowhere would never be met. `job` is in docs/monitoring.md. */
function unmetValues(text: string): string[] {
  return [...text.matchAll(/\b(?!job\b)\w+[=!]~?"([^"]*)"/g)]
    .flatMap(([, values = '']) => values.split('|'))
    .filter((value) => !isInSource(value) && !metricsPage.includes(`\`${value}\``));
}

const metricsPage = read('docs/metrics.md');
const configurationPage = read('docs/configuration.md');
const programsPage = read('docs/call-programs.md');

/** What a runbook names in code, and that there is not: codes of errors, keys of the configuration, events of the log. */
function unknownInRunbook(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => {
      if (/^CF_\w+$/.test(name)) return !isInSource(name);
      if (/^(gateway|worker|relay|telemetry|nats|redis|pbxs\[\])\.[\w.[\]]+$/.test(name))
        return !new RegExp(`\`${RegExp.escape(name)}[\`.]`).test(configurationPage);
      // Logged of each state as it is entered.
      if (/^service\.[a-z]+$/.test(name)) return !isInSource(name.replace('service.', '').toUpperCase());
      if (/^[a-z-]+\.[a-z-]+$/.test(name)) return !isInSource(name) && !programsPage.includes(name);
      return false;
    });
}

describe('alerts', () => {
  test.each(alertRules())(
    '$alert names metrics that there are, how urgent it is, and a runbook that says what to do',
    (rule) => {
      const { alert, expr, labels, annotations } = rule;
      expect(namesIn(expr).length + (expr.includes('up{') ? 1 : 0)).toBeGreaterThan(0);
      expect(unknownIn(expr)).toEqual([]);
      expect(unmetValues(expr), 'values that no label has').toEqual([]);
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
      expect([...unmetValues(runbook), ...unknownInRunbook(runbook)], 'what else it names').toEqual([]);
    },
  );

  test('names that are nowhere would be noticed', () => {
    const names = [
      'CF_NO_SUCH',
      'worker.noSuch',
      'service.asleep',
      'call.no-such',
      'CF_BREAKER_OPEN',
      'worker.maxCalls',
    ];
    const text = names.map((name) => `- \`${name}\``).join('\n');
    expect(unknownInRunbook(text)).toEqual(names.slice(0, 4));
    expect(unmetValues('x{callfleet_reason=~"worker-gone|no-such", job="callfleet-worker"}')).toEqual(['no-such']);
  });

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

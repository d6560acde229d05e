import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installParts, type Prometheus, placeCall, startPrometheus } from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { dashboards } from '../monitoring/dashboards.ts';
import { ALERTS, alertRules } from './alert-rules.ts';
import { type HttpFleet, startHttpFleet } from './fleet-http.ts';
import { startVoiceAi, type VoiceAi } from './voice-ai.ts';

const whyNot = await installParts(undefined, ['prometheus']).then(
  () => undefined,
  (error: Error) => error.message,
);
if (whyNot !== undefined) console.warn(`Prometheus's part of these tests is left out: ${whyNot}`);

const monitoring = (file: string) => fileURLToPath(new URL(`../monitoring/${file}`, import.meta.url));

describe.skipIf(whyNot !== undefined)('with a real Prometheus', () => {
  test.each([
    ['check', 'alerts.yaml'],
    ['test', 'alerts.test.yaml'],
  ])('promtool %s rules %s', async (what, file) => {
    const { stdout } = await promisify(execFile)('promtool', [what, 'rules', monitoring(file)]);
    expect(stdout).toContain('SUCCESS');
  });

  let ai: VoiceAi;
  let system: HttpFleet;
  let prometheus: Prometheus;

  beforeAll(async () => {
    ai = await startVoiceAi();
    system = await startHttpFleet();
    const targets = (kind: string) => system.names.filter((name) => name.startsWith(kind)).map(system.addressOf);
    prometheus = await startPrometheus({
      targets: {
        'callfleet-gateway': targets('gateway'),
        'callfleet-worker': targets('worker'),
        'callfleet-relay': targets('relay'),
      },
      ruleFiles: [fileURLToPath(ALERTS)],
    });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await prometheus?.stop();
    await system?.stop();
    await ai?.stop();
  });

  /** A caller speaks, is answered, interrupts, and has a tool called. */
  async function conversation(pbx: HttpFleet['pbxs'][number], from: string) {
    const call = await placeCall({ to: pbx.sipAddress, extension: '503', from });
    await call.answered;
    for (const ms of [800, 600]) {
      await call.setAudio({ toneHz: 600 });
      await wait(ms);
      await call.setAudio(null);
      await wait(1300);
    }
    await call.hangUp();
    await system.recordOf(from);
  }

  test('while calls go on, every line of every dashboard is understood, and has data', async () => {
    const long = { text: 'One two three four five six seven eight nine ten.', ms: 4000 };
    const weather = { tool: { name: 'weather', arguments: { city: 'Bremen' } } };
    // Two callers at once, each of whom says something twice.
    ai.answers.push(long, long, weather, weather, ...Array.from({ length: 20 }, () => long));
    await expect
      .poll(async () => (await prometheus.query('up == 1')).length, { timeout: 20_000 })
      .toBe(system.names.length);
    for (const round of [1, 2]) await Promise.all(system.pbxs.map((pbx, n) => conversation(pbx, `81${round}${n}`)));
    const empty = async () => {
      const lines = dashboards.flatMap(({ name, panels }) =>
        panels.flatMap(({ title, lines }) => lines.map((line) => ({ ...line, where: `${name}, ${title}` }))),
      );
      const without: string[] = [];
      for (const { query, where, isRare } of lines) {
        const series = await prometheus.query(query);
        if (series.length === 0 && !isRare) without.push(`${where}: ${query}`);
      }
      return without;
    };
    await expect.poll(empty, { timeout: 20_000, interval: 1000 }).toEqual([]);
  });

  test('every alert is understood, and none is up: the fleet is well', async () => {
    for (const { expr } of alertRules()) await prometheus.query(expr);
    const response = await fetch(`${prometheus.url}/api/v1/rules?type=alert`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; health: string; state: string }[] }[] };
    };
    const rules = data.groups.flatMap(({ rules }) => rules);
    expect(rules.map(({ name }) => name).toSorted()).toEqual(
      alertRules()
        .map(({ alert }) => alert)
        .toSorted(),
    );
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });
});

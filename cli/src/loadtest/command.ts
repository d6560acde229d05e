import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectBus } from '@callfleet/bus';
import { installParts } from '@callfleet/testkit';
import Table from 'cli-table3';
import { type Scenario, scenariosOf } from '../../../loadtest/scenarios.ts';
import { OptionError } from '../option-values.ts';
import { ROOT } from '../repository.ts';
import { tellVerdict } from '../verdict.ts';
import { changesBetween } from './compare.ts';
import { Desk } from './desk.ts';
import { FleetUnderTest } from './fleet-under-test.ts';
import { htmlReport, type ReportedRun } from './html-report.ts';
import { installK6 } from './k6.ts';
import { type K6Run, runK6 } from './k6-run.ts';
import { loadMeasures } from './measures.ts';
import { latestResult } from './results.ts';
import { storedRecords } from './stored-records.ts';
import { type Moment, Timeline } from './timeline.ts';

export interface LoadTestOptions {
  /** One of them; without it those of {@link BY_DEFAULT}. */
  scenario?: string;
  /** A target that is missed is a failure. */
  check: boolean;
  /** Beside the result before. */
  compare: boolean;
  /** How long the soak takes. */
  minutes?: number;
  /** Of `audio`, at once. */
  calls?: number;
}

/** Together they take six minutes. */
const BY_DEFAULT = ['ramp', 'spike', 'mixed', 'chaos'];
const SOAK_MINUTES = 8;
const AUDIO_CALLS = 300;

/** `loadtest`: k6 places calls through simulated PBXs, and checks them from outside. @returns the exit code */
export async function loadTestCommand({
  scenario,
  check,
  compare,
  minutes = SOAK_MINUTES,
  calls = AUDIO_CALLS,
}: LoadTestOptions): Promise<number> {
  const say = (line: string) => console.log(line);
  const wanted = chosen(scenariosOf({ minutes, audioCalls: calls }), scenario);
  const k6 = await installK6((step) => say(`callfleet: ${step}`));
  await installParts((step) => say(`callfleet: ${step}`), ['nats-server', 'redis-server']);
  const reported: ReportedRun[] = [];
  for (const one of wanted) {
    const name = `loadtest ${one.name}`;
    const before = compare ? await latestResult(name) : undefined;
    say(`callfleet: ${name}: starting the fleet and its simulated PBXs`);
    const { run, moments } = await runScenario(k6, one, say);
    await tellVerdict(name, loadMeasures(one, run, moments), { raw: { moments, k6: run.summary }, check });
    const result = await latestResult(name);
    if (!result) throw new Error(`${name} was not kept`);
    if (compare) say(before ? comparison(before, result) : 'callfleet: there is no earlier result to compare with');
    reported.push({ result, moments, setUps: run.setUps });
  }
  const page = join(ROOT, 'bench/results', `loadtest-${new Date().toISOString().replaceAll(':', '')}.html`);
  await mkdir(join(ROOT, 'bench/results'), { recursive: true });
  await writeFile(page, htmlReport(reported));
  say(`report: ${page}`);
  const missed = reported.flatMap(({ result }) => result.missed.map((what) => `${result.name.split(' ')[1]}: ${what}`));
  say(missed.length === 0 ? 'loadtest: held' : `loadtest: MISSED: ${missed.join('; ')}`);
  return check && missed.length > 0 ? 1 : 0;
}

/** On a fleet of its own, which is gone afterwards. */
export async function runScenario(
  k6: string,
  scenario: Scenario,
  say: (line: string) => void,
): Promise<{ run: K6Run; moments: readonly Moment[] }> {
  const under = await FleetUnderTest.start(say);
  const owned: Array<() => Promise<unknown>> = [() => under.stop()];
  try {
    const bus = await connectBus({ servers: [under.system.nats.url], name: 'loadtest' });
    owned.push(() => bus.close());
    const desk = await Desk.open({
      recordsOf: (pbx, channels) => storedRecords(bus, pbx, channels),
      kill: async (victim) => {
        say(`callfleet: kill -9 of a ${victim}`);
        return under.kill(victim);
      },
    });
    owned.push(() => desk.close());
    const timeline = new Timeline(under);
    owned.push(() => timeline.stop());
    const calls = scenario.groups.reduce((sum, { count }) => sum + count, 0);
    say(`callfleet: k6 places ${calls} calls on ${under.pbxs.length} PBXs`);
    const run = await runK6(k6, scenario, { pbxs: under.pbxs, deskUrl: desk.url, say });
    return { run, moments: timeline.moments };
  } finally {
    for (const release of owned.reverse()) await release();
  }
}

/** @throws OptionError */
function chosen(all: readonly Scenario[], name: string | undefined): readonly Scenario[] {
  const found = all.filter((one) => (name === undefined ? BY_DEFAULT.includes(one.name) : one.name === name));
  if (found.length === 0)
    throw new OptionError(`--scenario: there is no "${name}"; accepted: ${all.map((one) => one.name).join(', ')}`);
  return found;
}

function comparison(...[before, after]: Parameters<typeof changesBetween>): string {
  const table = new Table({
    head: ['what', before.at.slice(0, 16), 'now', 'change', ''],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, unit, before: was, after: is, percent, is: how } of changesBetween(before, after))
    table.push([
      what,
      was === undefined ? '' : `${Number(was.toPrecision(4))} ${unit}`,
      `${Number(is.toPrecision(4))} ${unit}`,
      percent === undefined ? '' : `${percent.toFixed(0)} %`,
      how === 'same' ? '' : how,
    ]);
  return table.toString();
}

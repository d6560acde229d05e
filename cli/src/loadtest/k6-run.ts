import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnChild } from '@callfleet/supervise';
import type { Scenario } from '../../../loadtest/scenarios.ts';
import { ROOT } from '../repository.ts';
import type { PlacedPbx } from '../simulated-pbxs/process.ts';

/** What k6 tells at its end (`handleSummary`), of it what is read here. */
interface K6Summary {
  readonly metrics: Readonly<
    Record<string, { readonly values: Readonly<Record<string, number>>; readonly thresholds?: object } | undefined>
  >;
}

export interface K6Run {
  readonly summary: K6Summary;
  /** Each call's set-up time, and when k6 learnt of it: seconds since the first. */
  readonly setUps: ReadonlyArray<{ readonly atS: number; readonly ms: number }>;
}

const RUN_LIMIT_MS = 20 * 60_000;

/** Runs one scenario with k6. @throws Error k6 has ended without a summary */
export async function runK6(
  k6: string,
  scenario: Scenario,
  { pbxs, deskUrl, say }: { pbxs: readonly PlacedPbx[]; deskUrl: string; say: (line: string) => void },
): Promise<K6Run> {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-k6-'));
  try {
    const summaryFile = join(folder, 'summary.json');
    const pointsFile = join(folder, 'points.json');
    const child = await spawnChild({
      name: 'k6',
      command: k6,
      args: [
        'run',
        '--quiet',
        '--no-color',
        '--no-usage-report',
        '--address',
        '',
        '--out',
        `json=${pointsFile}`,
        `${ROOT}/loadtest/main.ts`,
      ],
      env: {
        ...process.env,
        SCENARIO: JSON.stringify(scenario),
        PBXS: JSON.stringify(pbxs.map(({ name, controlUrl }) => ({ name, controlUrl }))),
        DESK_URL: deskUrl,
        SUMMARY_FILE: summaryFile,
      },
      onLine: (_, line) => line.trim() !== '' && say(`k6: ${line.slice(0, 400)}`),
    });
    const timer = setTimeout(() => void child.stop(), RUN_LIMIT_MS);
    const { code } = await child.exited;
    clearTimeout(timer);
    const summary = await readFile(summaryFile, 'utf8').catch(() => {
      throw new Error(`k6 ended without a summary (exit code ${code}): ${child.lastLines().join('\n')}`);
    });
    return { summary: JSON.parse(summary) as K6Summary, setUps: await setUpsIn(pointsFile) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** k6 writes a line for each value of each metric. */
async function setUpsIn(file: string): Promise<Array<{ atS: number; ms: number }>> {
  const setUps: Array<{ at: number; ms: number }> = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.includes('"metric":"setup_ms"') || !line.includes('"type":"Point"')) continue;
    const { data } = JSON.parse(line) as { data: { time: string; value: number } };
    setUps.push({ at: Date.parse(data.time), ms: data.value });
  }
  const first = Math.min(...setUps.slice(0, 1).map(({ at }) => at));
  return setUps.map(({ at, ms }) => ({ atS: (at - first) / 1000, ms }));
}

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installParts } from '@callfleet/testkit';
import { NODE, ROOT } from '../repository.ts';

const CHECKS = ['//#types', '//#lint', '//#borders', '//#dead-code'];

export interface TestOptions {
  /** Only these test files (vitest's filters); none: everything. */
  filters: readonly string[];
}

/** Types, lint, borders, dead code, then every test on real parts. @returns the exit code */
export async function testCommand({ filters }: TestOptions): Promise<number> {
  const checks =
    filters.length > 0 ? 0 : await run('turbo', ['run', ...CHECKS, '--continue', '--output-logs=errors-only']);
  const onProgress = (step: string) => console.log(`parts: ${step}`);
  await installParts(onProgress);
  await installParts(onProgress, ['espeak-ng']);

  const folder = await mkdtemp(join(tmpdir(), 'callfleet-test-'));
  try {
    const results = join(folder, 'results.json');
    const tests = await run('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${results}`,
      ...filters,
    ]);
    const { numPassedTests, numFailedTests, numFailedTestSuites } = await readResults(results);
    const failed = Math.max(numFailedTests, numFailedTests === 0 ? numFailedTestSuites : 0) + (checks === 0 ? 0 : 1);
    if (checks !== 0) console.error('types, lint, borders or dead code: failed, see above');
    console.log(`${numPassedTests} passed, ${failed} failed`);
    return checks === 0 && tests === 0 && failed === 0 && numPassedTests > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
}

/** A run that broke before it wrote its results has failed. */
async function readResults(file: string): Promise<Results> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Results;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 1 };
  }
}

function run(tool: 'turbo' | 'vitest', args: readonly string[]): Promise<number> {
  const child = spawn(NODE, [`${ROOT}/node_modules/.bin/${tool}`, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

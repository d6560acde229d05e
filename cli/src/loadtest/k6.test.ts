import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findK6, installK6 } from './k6.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callfleet-k6-test-'));
  await mkdir(join(folder, 'bin'));
  vi.stubEnv('PATH', join(folder, 'bin'));
  vi.stubEnv('CALLFLEET_CACHE', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function putOnPath(name: string, script: string): Promise<string> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

test('k6 on PATH is taken', async () => {
  const k6 = await putOnPath('k6', 'exit 0');
  expect(await installK6(() => {})).toBe(k6);
});

test('without k6 it is built with Go, once', async () => {
  await putOnPath('go', '[ "$1" = install ] && echo "#!/bin/sh" > "$GOBIN/k6" && /bin/chmod +x "$GOBIN/k6"');
  const steps: string[] = [];
  const k6 = await installK6((step) => steps.push(step));
  expect(k6).toMatch(/cache\/k6-[\d.]+\/k6$/);
  expect(findK6()).toBe(k6);
  expect(await installK6((step) => steps.push(step))).toBe(k6);
  expect(steps).toEqual([expect.stringContaining('building k6')]);
});

test('a build that fails is told with its last words, and leaves no k6', async () => {
  await putOnPath('go', 'echo "no such module" >&2; exit 1');
  await expect(installK6(() => {})).rejects.toMatchObject({
    code: 'CF_K6_UNAVAILABLE',
    message: expect.stringMatching(/no such module.*install-k6/s),
  });
  expect(findK6()).toBeUndefined();
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
});

test('with neither k6 nor Go it is said what to install', async () => {
  await expect(installK6(() => {})).rejects.toMatchObject({
    code: 'CF_K6_UNAVAILABLE',
    message: expect.stringMatching(/neither on PATH.*go install go\.k6\.io\/k6@v/s),
  });
});

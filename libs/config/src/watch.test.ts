import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from './load.ts';
import { watchConfig } from './watch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callfleet-watch-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const pbx = (name: string, password = 's3cret') =>
  `  - { name: ${name}, url: "http://${name}:8088", username: callfleet, password: "${password}" }\n`;
const pbxs = (...names: string[]) => `pbxs:\n${names.map((name) => pbx(name)).join('')}`;

/** Writes as most do: the file is cut off, and written again. */
function write(text: string, name = 'callfleet.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** What a process that runs with this file is told. */
function watched(file: string) {
  const told: string[] = [];
  const passwords: string[] = [];
  const stop = watchConfig(loadConfig({ file, env: {} }), {
    file,
    env: {},
    everyMs: 5,
    onPbxs(now) {
      told.push(`pbxs ${now.map(({ name }) => name)}`);
      passwords.push(...now.map(({ password }) => password));
    },
    onRestartNeeded: (keys) => told.push(`restart ${keys}`),
    onRefused: ({ problems }) => told.push(`refused ${problems.join('; ')}`),
  });
  onTestFinished(stop);
  return { told, passwords };
}

test('a PBX that is added to the file, and taken out again, is told', async () => {
  const file = write(pbxs('a'));
  const { told } = watched(file);
  write(pbxs('a', 'b'));
  await expect.poll(() => told).toEqual(['pbxs a,b']);
  write(pbxs('b'));
  await expect.poll(() => told).toEqual(['pbxs a,b', 'pbxs b']);
});

test('what was changed between the start and the first look is told too, and the same again is no news', async () => {
  const file = write(pbxs('a'));
  const started = loadConfig({ file, env: {} });
  write(pbxs('a', 'b'));
  const told: number[] = [];
  const options = { file, env: {}, everyMs: 5, onRestartNeeded: () => {}, onRefused: () => {} };
  onTestFinished(watchConfig(started, { ...options, onPbxs: (now) => void told.push(now.length) }));
  await expect.poll(() => told).toEqual([2]);
  write(`# the same\n${pbxs('a', 'b')}`);
  write(`${pbxs('a', 'b')}\n`);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(told).toEqual([2]);
});

test("a ConfigMap's file is followed through the link that Kubernetes swaps", async () => {
  const version = (name: string, text: string) => {
    mkdirSync(join(folder, name));
    write(text, `${name}/callfleet.yaml`);
    symlinkSync(name, join(folder, 'data_tmp'));
    renameSync(join(folder, 'data_tmp'), join(folder, '..data'));
  };
  version('..1', pbxs('a'));
  const file = join(folder, 'callfleet.yaml');
  symlinkSync('..data/callfleet.yaml', file);
  const { told } = watched(file);
  version('..2', pbxs('a', 'b'));
  rmSync(join(folder, '..1'), { recursive: true });
  await expect.poll(() => told).toEqual(['pbxs a,b']);
});

test('a secret in a file of its own is read, and followed', async () => {
  write('first\n', 'secret');
  const file = write(`pbxs:\n${pbx('a', '${file:secret}')}`);
  expect(loadConfig({ file, env: {} }).pbxs[0]?.password).toBe('first');
  const { told, passwords } = watched(file);
  write('second\n', 'secret');
  await expect.poll(() => passwords).toEqual(['second']);
  rmSync(join(folder, 'secret'));
  await expect
    .poll(() => told.at(-1))
    .toBe("refused pbxs[0].password: the file of ${file:secret} can't be read (ENOENT)");
});

test('a file that is wrong is refused as at a start, once, and what is right again is taken', async () => {
  const file = write(pbxs('a'));
  const { told } = watched(file);
  write(pbxs('a', 'a'));
  await expect.poll(() => told).toEqual(['refused pbxs[1].name: "a" is taken by entry 0; each must be unique']);
  rmSync(file);
  await expect.poll(() => told.at(-1)).toMatch(/^refused the file can't be read/);
  write(pbxs('a', 'b'));
  await expect.poll(() => told.at(-1)).toBe('pbxs a,b');
  expect(told).toHaveLength(3);
});

test('any other key needs a restart, and is named, until it is as it was', async () => {
  const file = write(pbxs('a'));
  const { told } = watched(file);
  write(`${pbxs('a')}gateway: { claimTimeoutMs: 1, breaker: { volume: 3 } }\n`);
  await expect.poll(() => told).toEqual(['restart gateway.claimTimeoutMs,gateway.breaker.volume']);
  write(pbxs('a', 'b'));
  await expect.poll(() => told.at(-1)).toBe('pbxs a,b');
  write(`${pbxs('a', 'b')}up: { workers: 3 }\n`);
  await expect.poll(() => told.at(-1)).toBe('restart up.workers');
});

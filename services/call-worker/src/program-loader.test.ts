import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProgramConfig } from '@callfleet/config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPrograms, withVersions } from './program-loader.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callfleet-programs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function programFile(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const entry = (file: string) => ({ name: 'mine', file, extensions: ['100'] });

test('a program that stands anywhere on the disk finds the SDK by its name', async () => {
  const text = `import { defineCall } from '@callfleet/calls';
    const number: string = '1'; export default defineCall(async (call) => { await call.play(\`digits:\${number}\`); });`;
  const file = await programFile('mine.ts', text);
  // In a Node of its own, as the worker runs it: vitest resolves and transforms modules in its own way.
  const script = `
    const { resolveSdkForPrograms } = await import(${JSON.stringify(import.meta.resolve('@callfleet/calls/runtime'))});
    const { loadPrograms } = await import(${JSON.stringify(new URL('./program-loader.ts', import.meta.url).href)});
    resolveSdkForPrograms();
    const [route] = await loadPrograms([${JSON.stringify({ ...entry(file), version: '1' })}]);
    console.log(typeof route.program.run);
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout.trim()).toBe('function');
});

/** By its path, as no resolution is set up in the process that runs the tests. */
const SDK = new URL('../../../libs/calls/src/mod.ts', import.meta.url).href;
/** As a worker does. */
const load = async (programs: readonly ProgramConfig[]) => loadPrograms(await withVersions(programs));
const PROGRAM = `import { defineCall } from '${SDK}'; export default defineCall(async () => {});`;

describe('the version of a program', () => {
  test('is the one in its configuration', async () => {
    const file = await programFile('v-one.ts', PROGRAM);
    const [route] = await load([{ ...entry(file), version: '2.0-rc.1' }]);
    expect(route?.version).toBe('2.0-rc.1');
  });

  test('is told by its text where the configuration has none: another text is another version', async () => {
    const [one, same, other] = await Promise.all([
      programFile('v-a.ts', PROGRAM),
      programFile('v-b.ts', PROGRAM),
      programFile('v-c.ts', `${PROGRAM}\n`),
    ]);
    const versions = [];
    for (const file of [one, same, other]) versions.push((await load([entry(file)]))[0]?.version);
    expect(versions[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(versions[1]).toBe(versions[0]);
    expect(versions[2]).not.toBe(versions[0]);
  });

  test('makes two of one name, and must be another for each', async () => {
    const file = await programFile('v-d.ts', PROGRAM);
    const versioned = (version: string) => ({ ...entry(file), version });
    const routes = await load([versioned('v2'), versioned('v1')]);
    expect(routes.map(({ name, version }) => `${name} ${version}`)).toEqual(['mine v2', 'mine v1']);
    await expect(load([versioned('v1'), versioned('v1')])).rejects.toThrow(/"mine" .* twice in version v1/);
    await expect(load([entry(file), entry(file)])).rejects.toThrow(/"mine" .* twice/);
  });
});

describe('a program that can not be used is refused with its name, its file and why:', () => {
  test('no such file', async () => {
    await expect(load([entry('/nowhere/x.ts')])).rejects.toThrow(/"mine" \(\/nowhere\/x\.ts\) can't be loaded/);
  });

  test('no call program in it', async () => {
    const file = await programFile('none.ts', 'export default async () => {};');
    await expect(load([entry(file)])).rejects.toThrow(/no default export made by defineCall/);
  });

  test('none at all', async () => {
    await expect(load([])).rejects.toMatchObject({ code: 'CF_PROGRAM_LOAD' });
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPrograms } from './program-loader.ts';

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
    const { resolveSdkForPrograms } = await import(${JSON.stringify(new URL('./sdk-resolution.ts', import.meta.url).href)});
    const { loadPrograms } = await import(${JSON.stringify(new URL('./program-loader.ts', import.meta.url).href)});
    resolveSdkForPrograms();
    const [route] = await loadPrograms([${JSON.stringify(entry(file))}]);
    console.log(typeof route.program.run);
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout.trim()).toBe('function');
});

describe('a program that can not be used is refused with its name, its file and why:', () => {
  test('no such file', async () => {
    await expect(loadPrograms([entry('/nowhere/x.ts')])).rejects.toThrow(/"mine" \(\/nowhere\/x\.ts\) can't be loaded/);
  });

  test('no call program in it', async () => {
    const file = await programFile('none.ts', 'export default async () => {};');
    await expect(loadPrograms([entry(file)])).rejects.toThrow(/no default export made by defineCall/);
  });

  test('none at all', async () => {
    await expect(loadPrograms([])).rejects.toMatchObject({ code: 'CF_PROGRAM_LOAD' });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimLeftovers, createSpillFolder } from './spill-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'callfleet-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const owner = (instance: string, servers = ['nats-1:4222']) => ({ instance, servers });

/** As a process with this number left it that began at another time than whoever has the number now. */
async function deadFolder(instance: string, at = root, pid = process.pid): Promise<string> {
  const folder = await createSpillFolder(at, owner(instance));
  const dead = folder.replace(/\.\d+\.\d+$/, `.${pid}.1`);
  await rename(folder, dead);
  await writeFile(join(dead, '00000001.jsonl'), instance);
  return dead;
}

test('the folder of a dead process is taken, by one of those that start, for good', async () => {
  await deadFolder('gateway-1-aaa');
  const two = await Promise.all(['gateway-2', 'gateway-3'].map((name) => createSpillFolder(root, owner(name))));
  const claimed = await Promise.all(two.map((own) => claimLeftovers(root, own, owner(''))));
  const [folder, ...more] = claimed.flat();
  expect(more).toEqual([]);
  expect(await readFile(join(folder as string, '00000001.jsonl'), 'utf8')).toBe('gateway-1-aaa');
  expect((await stat(two[0] as string)).mode & 0o777).toBe(0o700);
});

test('whoever dies with folders of others leaves them too', async () => {
  const dead = await deadFolder('gateway-2-bbb');
  const before = await deadFolder('gateway-1-aaa', dead);
  const own = await createSpillFolder(root, owner('gateway-3'));
  const moved = join(own, basename(dead));
  expect(await claimLeftovers(root, own, owner(''))).toEqual([join(moved, basename(before)), moved]);
});

test('a process that lives keeps its folder, and gives it up when it is killed', async () => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  const stats = await readFile(`/proc/${other.pid}/stat`, 'utf8').catch(() => undefined);
  const began = stats?.slice(stats.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  const own = await createSpillFolder(root, owner('gateway-2'));
  const theirs = basename(own).replace(/\.\d+\.\d+$/, `.${other.pid}.${began}`);
  await mkdir(join(root, theirs));
  expect(await claimLeftovers(root, own, owner(''))).toEqual([]);
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await claimLeftovers(root, own, owner(''))).toEqual([join(own, theirs)]);
});

test('what was left for another NATS, and what is nobody’s, stays', async () => {
  const dead = await deadFolder('gateway-1-aaa');
  await mkdir(join(root, 'something'));
  const own = await createSpillFolder(root, owner('gateway-2', ['nats-9:4222']));
  expect(await claimLeftovers(root, own, owner('', ['nats-9:4222']))).toEqual([]);
  expect(await readdir(root)).toEqual(expect.arrayContaining([basename(dead), 'something']));
});

test('a folder that cannot be made is one clear error', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(createSpillFolder(join(root, 'file'), owner('gateway-1'))).rejects.toMatchObject({
    code: 'CF_SPILL_FOLDER',
    message: expect.stringContaining('gateway.spillFolder'),
  });
});

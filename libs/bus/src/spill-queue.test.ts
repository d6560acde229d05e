import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SpilledLine, SpillQueue, type SpillQueueOptions } from './spill-queue.ts';

let root: string;
let folder: string;
let troubles: Array<{ error: unknown; lost: number }>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'callfleet-spill-'));
  folder = join(root, 'own');
  troubles = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

const options = (more: Partial<SpillQueueOptions> = {}): SpillQueueOptions => ({
  folder,
  maxBytes: 1_000_000,
  onTrouble: (error, lost) => troubles.push({ error, lost }),
  ...more,
});
const queue = (more?: Partial<SpillQueueOptions>) => new SpillQueue(options(more));
const reopened = (onTorn: (file: string, bytes: number) => void = () => {}) => SpillQueue.reopen(options(), onTorn);
const files = async () => (await readdir(folder).catch(() => [] as string[])).sort();
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `line ${from + n}`);
const settleAll = (lines: readonly SpilledLine[]) => {
  for (const { settle } of lines) settle?.();
};

async function takeAll(spill: SpillQueue, atOnce = 7): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const lines = await spill.take(atOnce);
    expect(lines.length).toBeLessThanOrEqual(atOnce);
    if (lines.length === 0) return all;
    settleAll(lines);
    all.push(...lines.map(({ text }) => text));
  }
}

/** Until everything that was pushed is in files. */
async function written(spill: SpillQueue): Promise<void> {
  const sizes = async () => {
    const found = await Promise.all((await files()).map((name) => stat(join(folder, name))));
    return found.reduce((sum, { size }) => sum + size, 0);
  };
  await expect.poll(sizes, { interval: 5 }).toBe(spill.bytes);
}

describe('lines', () => {
  test('come out in the order in which they went in, over many files, and leave nothing behind', async () => {
    const spill = queue({ segmentBytes: 1000 });
    for (const line of numbers(3000)) expect(spill.push(line)).toBe(true);
    await written(spill);
    expect((await files()).length).toBeGreaterThan(2);
    expect(spill.length).toBe(3000);
    expect(await takeAll(spill)).toEqual(numbers(3000));
    expect(spill).toMatchObject({ length: 0, bytes: 0 });
    expect(await spill.close()).toBe(0);
    expect(await readdir(root)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  test('may be pushed while others are taken', async () => {
    const spill = queue({ segmentBytes: 500 });
    const all: string[] = [];
    for (let n = 0; n < 2000; n += 1) {
      spill.push(`line ${n}`);
      if (n % 50 !== 0) continue;
      const lines = await spill.take(30);
      settleAll(lines);
      all.push(...lines.map(({ text }) => text));
    }
    all.push(...(await takeAll(spill)));
    expect(all).toEqual(numbers(2000));
    await spill.close();
  });

  test('may be longer than what is read at once, and hold any character', async () => {
    const spill = queue();
    const long = 'ä\u2028😀'.repeat(60_000);
    spill.push(long.slice(0, 200_000));
    spill.push('short');
    await written(spill);
    expect(await takeAll(spill)).toEqual([long.slice(0, 200_000), 'short']);
    await spill.close();
  });

  test('are read by this user alone', async () => {
    const spill = queue();
    spill.push('secret');
    await written(spill);
    const [file] = await files();
    expect((await stat(join(folder, file as string))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await spill.close();
  });
});

describe('there is no room', () => {
  test('on disk beyond the bound, until a whole file is settled', async () => {
    const spill = queue({ maxBytes: 70, segmentBytes: 35 });
    expect(numbers(20).map((line) => spill.push(line))).toEqual(numbers(20).map((_, n) => n < 10));
    expect(spill.bytes).toBe(70);
    await written(spill);
    const lines = await spill.take(100);
    expect(spill.push('line 10')).toBe(false);
    settleAll(lines);
    expect(spill.push('line 10')).toBe(true);
    expect([...lines.map(({ text }) => text), ...(await takeAll(spill))]).toEqual(numbers(11));
    await spill.close();
  });

  test('on the way to it, when the disk does not keep up', async () => {
    const spill = queue({ maxUnwrittenBytes: 35 });
    expect(numbers(7).map((line) => spill.push(line))).toEqual([true, true, true, true, true, false, false]);
    await spill.close();
  });
});

describe('a disk that refuses', () => {
  test('to be written: lines come out of memory, in order', async () => {
    await writeFile(folder, 'a file in the place of the folder');
    const spill = queue();
    for (const line of numbers(5)) spill.push(line);
    await expect.poll(() => troubles.length, { interval: 5 }).toBe(1);
    expect(await takeAll(spill, 2)).toEqual(numbers(5));
    expect(troubles[0]?.lost).toBe(0);
    spill.push('never written');
    expect(await spill.close()).toBe(1);
  });

  test('to be read: what it took with it is told, and the rest comes', async () => {
    const spill = queue({ segmentBytes: 1 });
    spill.push('gone');
    await written(spill);
    spill.push('here');
    await written(spill);
    await truncate(join(folder, (await files())[0] as string), 2);
    expect(await takeAll(spill)).toEqual(['here']);
    expect(troubles).toMatchObject([{ lost: 1 }]);
    expect(spill.bytes).toBe(0);
    await spill.close();
  });
});

describe('what is left when its process is gone', () => {
  test('is read by the next: all of a file of which something was not settled', async () => {
    const dead = queue({ segmentBytes: 10 });
    for (const line of numbers(3)) {
      dead.push(line);
      await written(dead);
    }
    const [first] = await dead.take(1);
    first?.settle?.();
    await dead.take(1);
    const next = await reopened();
    expect(next.length).toBe(3);
    expect(await takeAll(next)).toEqual(numbers(3));
    await next.close();
    expect(await readdir(root)).toEqual([]);
  });

  test('is read up to the line in which it died', async () => {
    const dead = queue();
    for (const line of numbers(3)) dead.push(line);
    await written(dead);
    const [file] = await files();
    await appendFile(join(folder, file as string), 'torn');
    const torn: unknown[] = [];
    const next = await reopened((name, bytes) => torn.push([name, bytes]));
    expect(torn).toEqual([[file, 4]]);
    expect(await takeAll(next)).toEqual(numbers(3));
    await next.close();
    expect(await readdir(root)).toEqual([]);
  });

  test('has in front what its owner still had in memory when it closed', async () => {
    const closing = queue();
    for (const line of numbers(3, 2)) closing.push(line);
    expect(await closing.close(numbers(2))).toBe(0);
    const next = await reopened();
    expect(await takeAll(next)).toEqual(numbers(5));
    await next.close();
    expect(await readdir(root)).toEqual([]);
  });
});

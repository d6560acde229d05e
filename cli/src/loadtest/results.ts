import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../repository.ts';
import type { Result } from '../verdict.ts';

const FOLDER = join(ROOT, 'bench/results');

/** The newest result of that name that is kept; undefined: there is none. */
export async function latestResult(name: string): Promise<Result | undefined> {
  const files = await readdir(FOLDER).catch(() => []);
  const begin = `${name.replaceAll(' ', '-')}-`;
  const newest = files
    .filter((file) => file.startsWith(begin) && /^\d{4}-\d\d-\d\dT.*\.json$/.test(file.slice(begin.length)))
    .sort()
    .at(-1);
  return newest === undefined ? undefined : (JSON.parse(await readFile(join(FOLDER, newest), 'utf8')) as Result);
}

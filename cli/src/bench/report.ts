import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../repository.ts';
import { type Result, shown, targetOf } from '../verdict.ts';
import { markdownTable, plain } from './markdown-table.ts';

const RESULTS = join(ROOT, 'bench/results');
const PAGE = join(ROOT, 'docs/benchmarks.md');
const BEGIN = '<!-- results: `./callfleet bench report` writes what is between these two lines -->';
const END = '<!-- end of results -->';

/**
 * Writes the results into docs/benchmarks.md; what is there of other benches stays.
 *
 * @param files results to be taken; none: the newest of each bench
 * @returns the exit code
 */
export async function benchReport(files: readonly string[]): Promise<number> {
  const chosen = files.length > 0 ? files : await newestResults();
  const results = await Promise.all(chosen.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Result));
  const page = await readFile(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const [written, after] = rest?.split(END) ?? [];
  if (before === undefined || written === undefined || after === undefined || results.length === 0) {
    console.error(`callfleet: there are no results in ${RESULTS}, or no place for them in ${PAGE}`);
    return 1;
  }
  await writeFile(PAGE, `${before}${BEGIN}\n\n${withResults(written, results)}\n${END}${after}`);
  console.log(`callfleet: ${results.map(({ name }) => name).join(', ')}: written to ${PAGE}`);
  return 0;
}

/** Names of results begin with the bench's name, and end with the time. */
async function newestResults(): Promise<string[]> {
  const newest = new Map<string, string>();
  for (const file of (await readdir(RESULTS).catch(() => [])).sort()) {
    const bench = /^(.+)-\d{4}-\d\d-\d\dT.*\.json$/.exec(file)?.[1];
    // What was kept before there were measures in it can't be shown.
    if (bench && (await readFile(join(RESULTS, file), 'utf8')).includes('"measures"')) newest.set(bench, file);
  }
  return [...newest.values()].map((file) => join(RESULTS, file));
}

/** Each result in the place of the one of its name, or at the end. */
export function withResults(written: string, results: readonly Result[]): string {
  const sections = new Map<string, string>();
  for (const section of written.split(/^(?=### )/m)) {
    const name = /^### (.+): (held|missed)$/m.exec(section)?.[1];
    if (name !== undefined) sections.set(name, `${section.trim()}\n`);
  }
  for (const result of results) sections.set(result.name, sectionOf(result));
  return [...sections.values()].join('\n');
}

/** One bench as Markdown. */
export function sectionOf({ name, at, machine, measures, missed }: Result): string {
  const rows = measures.map((measure) => [measure.what, shown(measure), targetOf(measure), measure.how]);
  return [
    `### ${name}: ${missed.length === 0 ? 'held' : 'missed'}`,
    '',
    `${at.slice(0, 10)}, ${machine.cores} cores (${plain(machine.cpu)}), Node ${machine.node}`,
    '',
    markdownTable(['what', 'measured', 'target', 'how'], rows),
    '',
  ].join('\n');
}

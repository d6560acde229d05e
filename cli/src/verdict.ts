import { availableParallelism, cpus } from 'node:os';
import Table from 'cli-table3';
import { keepResult } from './measurement.ts';

/** What was measured, and what was wanted of it. */
export interface Measure {
  readonly what: string;
  /** Undefined: reported, no target. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number };
  readonly value: number;
  readonly unit: string;
  /** How it was taken, in few words. */
  readonly how: string;
}

/** As it is kept in a file. */
export interface Result {
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: { readonly cores: number; readonly cpu: string; readonly node: string };
  readonly measures: readonly Measure[];
  /** Of each target that was missed: what it was. */
  readonly missed: readonly string[];
  readonly raw: object;
}

/**
 * Prints the measures as a table, keeps them with the raw data, and says which targets were missed.
 *
 * @returns the exit code: not 0 only with `check`
 */
export async function tellVerdict(
  name: string,
  measures: readonly Measure[],
  { raw, check }: { raw: object; check: boolean },
): Promise<number> {
  const table = new Table({
    head: ['what', 'measured', 'target', 'how'],
    style: { head: [], border: [], compact: true },
  });
  for (const measure of measures) table.push([measure.what, shown(measure), targetOf(measure), measure.how]);
  console.log(table.toString());
  const missed = measures.filter(isMissed).map((measure) => `${measure.what} ${shown(measure)}, ${targetOf(measure)}`);
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model ?? '', node: process.version };
  const result: Result = { name, at: new Date().toISOString(), machine, measures, missed, raw };
  const file = await keepResult(name.replaceAll(' ', '-'), result);
  console.log(`raw data: ${file}`);
  console.log(missed.length === 0 ? `${name}: held` : `${name}: MISSED: ${missed.join('; ')}`);
  return check && missed.length > 0 ? 1 : 0;
}

/** What could not be measured is missed. */
function isMissed({ target, value }: Measure): boolean {
  if (!target) return false;
  return 'atMost' in target ? !(value <= target.atMost) : !(value >= target.atLeast);
}

export function shown({ value, unit }: Measure): string {
  return `${readable(value)} ${unit}`.trim();
}

export function targetOf({ target, unit }: Measure): string {
  if (!target) return '';
  return 'atMost' in target
    ? `≤ ${readable(target.atMost)} ${unit}`.trim()
    : `≥ ${readable(target.atLeast)} ${unit}`.trim();
}

function readable(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

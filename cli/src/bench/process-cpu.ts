import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, all its threads, user and system; seconds. NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** What several processes use from now on. @returns their CPU seconds since, by name */
export function watchCpu<Name extends string>(pids: Readonly<Record<Name, number>>): () => Record<Name, number> {
  const names = Object.keys(pids) as Name[];
  const read = () => names.map((name) => cpuSeconds(pids[name]));
  const before = read();
  return () => {
    const now = read();
    const used = names.map((name, n) => [name, (now[n] ?? 0) - (before[n] ?? 0)] as const);
    return Object.fromEntries(used) as Record<Name, number>;
  };
}

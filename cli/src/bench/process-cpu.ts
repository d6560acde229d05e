import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, all its threads, user and system; seconds. NaN where there is no /proc. */
function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** CPU time that this whole machine has used so far, seconds: everything but waiting. NaN where there is no /proc. */
function machineCpuSeconds(): number {
  try {
    const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    const ticks = total.trim().split(/\s+/).slice(1, 9).map(Number);
    return ticks.reduce((sum, count, n) => (n === 3 || n === 4 ? sum : sum + count), 0) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** How many cores others on this machine take from now on, on average. @param pids ours. @returns to be asked at the end */
export function watchOthers(pids: readonly number[]): () => number {
  const ours = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = { ours: ours(), all: machineCpuSeconds(), at: performance.now() };
  return () => (machineCpuSeconds() - before.all - (ours() - before.ours)) / ((performance.now() - before.at) / 1000);
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

/** Milliseconds that a process's main thread could have run and had to wait for a core, so far. NaN where it is not told. */
export function waitedForCoreMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Memory of a process that is in RAM, bytes. NaN where there is no /proc. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** What a process has open. NaN where there is no /proc. */
export interface OpenHandles {
  readonly udp: number;
  readonly tcp: number;
  readonly files: number;
}

export function openHandles(pid: number): OpenHandles {
  try {
    const files = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
    const count = (...tables: string[]) => {
      const sockets = new Set(tables.flatMap((table) => inodesOf(`/proc/${pid}/net/${table}`)));
      return files.filter((file) => sockets.has(file)).length;
    };
    return { udp: count('udp', 'udp6'), tcp: count('tcp', 'tcp6'), files: files.length };
  } catch {
    return { udp: Number.NaN, tcp: Number.NaN, files: Number.NaN };
  }
}

/** Nothing, if it was closed meanwhile. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

/** As links of open files name them. */
function inodesOf(table: string): string[] {
  const [, ...lines] = readFileSync(table, 'utf8').trim().split('\n');
  return lines.map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`);
}

/** Keeps processes, all their threads, on these cores. False: this machine can't, or they are gone. */
export function pinToCores(pids: readonly number[], cores: readonly number[]): boolean {
  return pids.every((pid) => spawnSync('taskset', ['-apc', cores.join(','), String(pid)]).status === 0);
}

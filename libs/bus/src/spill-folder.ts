import { hash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BusError } from './errors.ts';

export interface SpillOwner {
  /** Unique to this start of the process. */
  readonly instance: string;
  /** Where its events go: what others left for another NATS is not ours. */
  readonly servers: readonly string[];
}

/**
 * Makes the folder below `root` in which this process alone writes. Its name tells whose it is, so that a later process knows
 * whether that one lives: `<instance>.<NATS>.<pid>.<when the process began>`.
 *
 * @throws BusError CF_SPILL_FOLDER it cannot be made
 */
export async function createSpillFolder(root: string, { instance, servers }: SpillOwner): Promise<string> {
  const began = (await beginOf(process.pid)) ?? UNKNOWN;
  const folder = join(root, `${instance}.${mark(servers)}.${process.pid}.${began}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = (cause as Error).message;
    throw new BusError(
      'CF_SPILL_FOLDER',
      `events cannot be kept in ${root}: ${why}; check gateway.spillFolder, or relay.spillFolder`,
      {
        cause,
      },
    );
  }
  return folder;
}

/**
 * Takes what processes of the same user and NATS, dead by now, have left beside our own folder: it is moved into ours, so that
 * of several that start at once one gets it, and dies with our name on it if we die.
 *
 * @returns the folders that have been taken, in ours
 */
export async function claimLeftovers(root: string, own: string, { servers }: SpillOwner): Promise<string[]> {
  const claimed: string[] = [];
  for (const name of await readdir(root)) {
    const [, fleet, pid, began] = /^.+\.([0-9a-f]{8})\.(\d+)\.(\d+)$/.exec(name) ?? [];
    if (name === basename(own) || fleet !== mark(servers)) continue;
    if (await isAlive(Number(pid), began as string)) continue;
    const from = join(root, name);
    const isOurs = await lstat(from).then(
      (found) => found.isDirectory() && found.uid === process.getuid?.(),
      () => false,
    );
    if (!isOurs) continue;
    const to = join(own, name);
    const isTaken = await rename(from, to).then(
      () => true,
      () => false,
    );
    if (isTaken) claimed.push(...(await foldersIn(to)));
  }
  return claimed;
}

/** It and those below it: whoever left it may have taken others' before. The deepest come first. */
async function foldersIn(folder: string): Promise<string[]> {
  const inside = await readdir(folder, { recursive: true, withFileTypes: true });
  const below = inside.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return [...below.sort((a, b) => b.length - a.length), folder];
}

const mark = (servers: readonly string[]) => hash('sha1', servers.toSorted().join(' ')).slice(0, 8);

/** Where the system does not say when a process began. */
const UNKNOWN = '0';

/** A number is given to another process one day, and in a container it often is the same: the time tells them apart. */
async function isAlive(pid: number, began: string): Promise<boolean> {
  if (began !== UNKNOWN) return (await beginOf(pid)) === began;
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** In clock ticks since the machine's start (proc_pid_stat(5), field 22); undefined when it is dead, or nobody says. */
async function beginOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : fields[18];
}

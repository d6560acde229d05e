import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a Debian root keeps the folders of the servers that run in it. */
export const INSTANCES = 'srv/callfleet';

/** What one running server keeps on disk. */
export interface InstanceFolder {
  /** As we see it. */
  readonly path: string;
  /** As a program sees it that runs in the root. */
  readonly inside: string;
  remove(): Promise<void>;
}

let made = 0;

/**
 * A new folder for one server. Its name says whose it is, so that what a killed process left is cleared away here.
 *
 * @param root the server will run in this root (chroot); undefined: it runs in ours
 */
export async function createInstanceFolder(server: string, root?: string): Promise<InstanceFolder> {
  // Short, since Asterisk's control socket is in it: a socket's path has at most 107 bytes, on macOS 103.
  const inside = root ? `/${INSTANCES}` : join(tmpdir(), `callfleet-${process.getuid?.()}`);
  const folder = root ? join(root, inside) : inside;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await removeOrphans(folder);
  made += 1;
  const name = `${server}.${process.pid}.${startOf(process.pid)}.${made}`;
  const path = join(folder, name);
  await mkdir(path);
  return { path, inside: join(inside, name), remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

async function removeOrphans(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [pid, start] = name.split('.').slice(-3);
    if (pid && start !== startOf(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What tells a process from a later one with the same pid; undefined: there is none with this pid. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The 22nd field, and the 20th behind the command's closing parenthesis.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return 'unknown';
  }
}

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { spawnChild } from '@callfleet/supervise';

/**
 * Runs `task` while no other process does so under the same lock file.
 *
 * The lock is the kernel's, held through util-linux's flock: whatever happens to us, nothing stale is left.
 */
export async function withFileLock<T>(file: string, waitMs: number, task: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = await spawnChild({
    name: `the lock ${file}`,
    command: 'flock',
    args: ['--no-fork', file, 'sh', '-c', 'echo held; exec sleep infinity'],
    ready: { line: (line) => line === 'held' },
    readyTimeoutMs: waitMs,
  });
  try {
    return await task();
  } finally {
    holder.kill();
    await holder.exited;
  }
}

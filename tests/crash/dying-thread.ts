import { existsSync, readFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';
import { fateFile, type ThreadFate } from '../thread-fate.ts';

/* Loaded into every thread of a fleet (`node --import`): the second one of a relay dies as a file says that is named for its process. */

const LOOK_EVERY_MS = 50;

const fates: Readonly<Record<ThreadFate, () => void>> = {
  throws() {
    throw new Error('an error that nobody catches');
  },
  spins() {
    for (;;);
  },
};

if (!isMainThread && workerData?.settings && workerData.thread === 2) {
  const file = fateFile(process.pid);
  setInterval(() => {
    if (existsSync(file)) fates[readFileSync(file, 'utf8') as ThreadFate]?.();
  }, LOOK_EVERY_MS);
}

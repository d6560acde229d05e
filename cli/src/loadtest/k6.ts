import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, spawnChild } from '@callfleet/supervise';
import { cacheFolder } from '@callfleet/testkit';

/** The one that is built where there is none on PATH. TypeScript without a flag takes 0.57 or later. */
const VERSION = 'v1.8.1';
const BUILD_LIMIT_MS = 15 * 60_000;

/** k6 is not there, and can't be made here. */
class K6Error extends Error {
  override readonly name = 'K6Error';
  readonly code = 'CF_K6_UNAVAILABLE';
}

/** k6 on PATH, or the one that was built before; undefined where there is neither. */
export function findK6(): string | undefined {
  return findProgram('k6') ?? findProgram(join(builtFolder(), 'k6'));
}

/** k6, built if it has to be: through Go's module proxy, once, into the cache folder. @throws K6Error */
export async function installK6(onProgress: (step: string) => void): Promise<string> {
  const found = findK6();
  if (found) return found;
  const go = findProgram('go');
  if (!go) throw new K6Error(howToInstall());
  onProgress(`building k6 ${VERSION} with ${go}, once; some minutes`);
  const folder = builtFolder();
  // Built beside its place: what is in it is whole.
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  const child = await spawnChild({
    name: 'go install',
    command: go,
    args: ['install', `go.k6.io/k6@${VERSION}`],
    env: { ...process.env, GOBIN: half },
  });
  const timer = setTimeout(() => void child.stop(), BUILD_LIMIT_MS);
  const { code } = await child.exited;
  clearTimeout(timer);
  if (code !== 0) {
    await rm(half, { recursive: true, force: true });
    throw new K6Error(['go could not build k6:', ...child.lastLines(), howToInstall()].join('\n'));
  }
  await rename(half, folder);
  return join(folder, 'k6');
}

function builtFolder(): string {
  return join(cacheFolder(), `k6-${VERSION.slice(1)}`);
}

function howToInstall(): string {
  return [
    'k6 is neither on PATH nor in the cache folder, and there is no Go to build it with. What to do, any of these:',
    '  install Go 1.25 or later (https://go.dev/dl), and run this again: it builds k6 by itself',
    `  GOBIN=/usr/local/bin go install go.k6.io/k6@${VERSION}`,
    '  a package of k6 for your system: https://grafana.com/docs/k6/latest/set-up/install-k6 (0.57 or later)',
  ].join('\n');
}

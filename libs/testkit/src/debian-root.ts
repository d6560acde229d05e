import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '@callfleet/supervise';
import { debianMirror, installPackages } from './apt.ts';
import { cacheFolder } from './cache-folder.ts';
import { run } from './command.ts';
import { PartsError } from './errors.ts';
import { withFileLock } from './file-lock.ts';
import { INSTANCES } from './instance-folder.ts';

/** Debian unstable alone has an Asterisk. It needs a newer libc than a stable Debian's, hence a root of its own. */
const SUITE = 'sid';
const PACKAGES = ['asterisk', 'asterisk-modules', 'nats-server', 'redis-server'];
const OPTIONS = [
  '--variant=apt',
  // A mirror's stored Release file may be past its date.
  '--aptopt=Acquire::Check-Valid-Until "false"',
  '--aptopt=APT::Install-Recommends "false"',
  `--include=${PACKAGES.join(',')}`,
];

const BUILD_MS = 600_000;

/** The root's folder; another recipe is another folder, so that a change of it builds anew. */
function debianRootPath(): string {
  const recipe = createHash('sha256')
    .update([SUITE, ...OPTIONS].join('\n'))
    .digest('hex')
    .slice(0, 8);
  return join(cacheFolder(), `debian-${SUITE}-${process.arch}-${recipe}`);
}

/** Builds the root with mmdebstrap if it is not there yet: about 20 s and 390 MB. Several processes may ask at once. */
export async function buildDebianRoot(onProgress: (step: string) => void): Promise<string> {
  const root = debianRootPath();
  if (await exists(root)) return root;
  onProgress('preparing a Debian root in the cache folder (once, about half a minute)');
  return withFileLock(`${root}.lock`, BUILD_MS, async () => {
    if (await exists(root)) return root;
    if (!findProgram('mmdebstrap')) await installPackages(['mmdebstrap'], onProgress);
    const mirror = await debianMirror(onProgress);
    if (!mirror) throw new PartsError('CF_PARTS_INSTALL', "this machine's apt names no Debian mirror");

    onProgress(`building a Debian ${SUITE} root with ${PACKAGES.join(', ')}`);
    const unfinished = `${root}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(dirname(root), { recursive: true });
    await run('mmdebstrap', [...OPTIONS, SUITE, unfinished, mirror], { timeoutMs: BUILD_MS });
    await rename(unfinished, root);
    await removeOlderRoots(root);
    return root;
  });
}

/** Roots of earlier recipes, unless something runs in them. */
async function removeOlderRoots(current: string): Promise<void> {
  const folder = dirname(current);
  for (const name of await readdir(folder)) {
    if (!name.startsWith('debian-') || name.startsWith(basename(current)) || name.endsWith('.lock')) continue;
    const instances = await readdir(join(folder, name, INSTANCES)).catch(() => []);
    if (instances.length === 0) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

import { readFile } from 'node:fs/promises';
import { findProgram } from '@callfleet/supervise';
import { run } from './command.ts';

const INSTALL_MS = 300_000;
const ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
/** Another apt on this machine may be at work. */
const WAIT_FOR_LOCKS = ['-o', 'DPkg::Lock::Timeout=120'];

/** Whether packages can be installed here: we are root on a Debian. */
export async function canInstallPackages(): Promise<boolean> {
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID="?debian"?$/m.test(release);
}

/** Installs Debian packages, with fresh lists only if the present ones are of no use. */
export async function installPackages(packages: readonly string[], onProgress: (step: string) => void): Promise<void> {
  onProgress(`installing ${packages.join(', ')} with apt-get`);
  const install = () =>
    run('apt-get', [...WAIT_FOR_LOCKS, 'install', '-y', '--no-install-recommends', ...packages], {
      env: ENVIRONMENT,
      timeoutMs: INSTALL_MS,
    });
  try {
    await install();
  } catch {
    await updateLists(onProgress);
    await install();
  }
}

/** The mirror that this machine's own apt uses for Debian. */
export async function debianMirror(onProgress: (step: string) => void): Promise<string | undefined> {
  const ask = async () => {
    const filter = ['Origin: Debian', 'Label: Debian', 'Identifier: Packages'];
    const uris = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...filter], { timeoutMs: 10_000 });
    return uris.split('\n').find((uri) => uri !== '');
  };
  const known = await ask();
  if (known) return known;
  await updateLists(onProgress);
  return ask();
}

async function updateLists(onProgress: (step: string) => void): Promise<void> {
  onProgress('updating the package lists');
  await run('apt-get', [...WAIT_FOR_LOCKS, 'update'], { env: ENVIRONMENT, timeoutMs: INSTALL_MS });
}

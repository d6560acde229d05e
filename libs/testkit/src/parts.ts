import { findProgram } from '@callfleet/supervise';
import { canInstallPackages, installPackages } from './apt.ts';
import { buildDebianRoot } from './debian-root.ts';
import { PartsError } from './errors.ts';
import { isAtLeast, isFitAsterisk, versionOf } from './program-version.ts';

/** What every fleet needs, and its callers. */
const partNames = ['asterisk', 'nats-server', 'redis-server', 'sipp'] as const;
/** `espeak-ng` is for bots that speak by themselves; with `prometheus` comes promtool. */
export type PartName = (typeof partNames)[number] | 'espeak-ng' | 'prometheus';

/** How a part is run on this machine: `command ...args`, and then its own arguments. */
export interface Part {
  readonly command: string;
  readonly args: readonly string[];
  /** It runs in this root (chroot). */
  readonly root?: string;
}

const located = new Map<PartName, Promise<Part>>();

/**
 * Makes sure that the real parts are on this machine: as they are on PATH where those fit, else in a Debian root in the
 * cache folder, which takes root rights on a Debian and about 30 s. Fast where that is done; safe in several processes.
 *
 * @param onProgress told each step that takes time, in words
 * @throws {PartsError} `CF_PARTS_UNAVAILABLE` says what to install by hand; `CF_PARTS_INSTALL` what went wrong
 */
export async function installParts(
  onProgress: (step: string) => void = () => {},
  names: readonly PartName[] = partNames,
): Promise<void> {
  for (const name of names) await part(name, onProgress);
}

/** One part, installed if it has to be. */
export function part(name: PartName, onProgress: (step: string) => void = () => {}): Promise<Part> {
  let found = located.get(name);
  if (!found) {
    found = locate(name, onProgress);
    located.set(name, found);
    found.catch(() => located.delete(name));
  }
  return found;
}

async function locate(name: PartName, onProgress: (step: string) => void): Promise<Part> {
  const own = await ownProgram(name);
  if (own) return { command: own, args: [] };
  if (!(await canInstallPackages())) throw new PartsError('CF_PARTS_UNAVAILABLE', howToInstall(name));
  try {
    return await install(name, onProgress);
  } catch (cause) {
    throw new PartsError('CF_PARTS_INSTALL', `${name} could not be installed: ${(cause as Error).message}`, { cause });
  }
}

async function install(name: PartName, onProgress: (step: string) => void): Promise<Part> {
  if (name === 'sipp' || name === 'espeak-ng' || name === 'prometheus') {
    await installPackages([name === 'sipp' ? 'sip-tester' : name], onProgress);
    return { command: name, args: [] };
  }
  const root = await buildDebianRoot(onProgress);
  // A static Go program: it needs nothing of its root.
  if (name === 'nats-server') return { command: `${root}/usr/sbin/nats-server`, args: [] };
  const program = name === 'asterisk' ? '/usr/sbin/asterisk' : '/usr/bin/redis-server';
  return { command: 'chroot', args: [root, program], root };
}

/** What is on PATH, if it fits. Debian 12's nats-server (2.9) for one does not: it ignores per-key time to live. */
async function ownProgram(name: PartName): Promise<string | undefined> {
  const program = findProgram(name);
  const version = program && (await versionOf(program, VERSION_ARGUMENTS[name]));
  return version && FITS[name](version) ? program : undefined;
}

const VERSION_ARGUMENTS: Readonly<Record<PartName, string>> = {
  asterisk: '-V',
  'nats-server': '--version',
  'redis-server': '--version',
  sipp: '-v',
  'espeak-ng': '--version',
  prometheus: '--version',
};

const FITS: Readonly<Record<PartName, typeof isFitAsterisk>> = {
  asterisk: isFitAsterisk,
  'nats-server': (version) => isAtLeast(version, 2, 11, 0),
  'redis-server': (version) => isAtLeast(version, 7, 0, 0),
  sipp: (version) => isAtLeast(version, 3, 6, 0),
  'espeak-ng': (version) => isAtLeast(version, 1, 50, 0),
  prometheus: (version) => isAtLeast(version, 2, 40, 0),
};

const NEEDED: Readonly<Record<PartName, string>> = {
  asterisk: 'asterisk 20.20.1, 22.10.1, 23.4.1 or later in its branch',
  'nats-server': 'nats-server 2.11 or later',
  'redis-server': 'redis-server 7 or later',
  sipp: 'sipp 3.6 or later',
  'espeak-ng': 'espeak-ng 1.50 or later',
  prometheus: 'prometheus 2.40 or later',
};

function howToInstall(name: PartName): string {
  return [
    `${NEEDED[name]} is not on PATH, and only root on a Debian can have it installed from here. What to do:`,
    '  Debian, or a container of it: run this as root, everything is fetched into the cache folder',
    '    (docker run --rm -it -v "$PWD":/callfleet -w /callfleet debian:12 is enough; git, node come on top)',
    '  macOS: brew install nats-server redis sipp asterisk espeak-ng prometheus',
    '  Ubuntu: apt-get install redis-server sip-tester espeak-ng prometheus; nats-server and asterisk from their own sites,',
    '    since the ones in Ubuntu are too old',
    'Programs of a fit version that are on PATH are used as they are.',
  ].join('\n');
}

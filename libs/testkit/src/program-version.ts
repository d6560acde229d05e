import { run } from './command.ts';

type Version = readonly [major: number, minor: number, patch: number];

/** The first version in what a program says of itself; undefined where it says none or can't be run. */
export async function versionOf(program: string, argument: string): Promise<Version | undefined> {
  // sipp ends with 99 after telling its version: what was printed counts, not how it ended.
  const said = await run('sh', ['-c', '"$0" "$1" 2>&1; exit 0', program, argument], { timeoutMs: 5000 }).catch(
    () => '',
  );
  return firstVersion(said);
}

export function firstVersion(text: string): Version | undefined {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

/** Whether `version` is this one or a later one. */
export function isAtLeast(version: Version, ...least: Version): boolean {
  for (const [i, part] of version.entries()) {
    if (part !== least[i]) return part > (least[i] as number);
  }
  return true;
}

/** Whether an Asterisk is new enough for all that Callfleet uses: in each of its branches that is another number. */
export function isFitAsterisk(version: Version): boolean {
  const [major] = version;
  if (major === 20) return isAtLeast(version, 20, 20, 1);
  if (major === 22) return isAtLeast(version, 22, 10, 1);
  return isAtLeast(version, 23, 4, 1);
}

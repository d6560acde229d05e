/** Which Asterisk it is, as far as its own version text says. */
export interface AsteriskVersion {
  /** As Asterisk gave it. */
  readonly text: string;
  /** Major, minor, patch; absent for a build from git, whose text names at most a branch. */
  readonly release?: readonly [major: number, minor: number, patch: number];
}

/**
 * Reads `22.10.1`, a packager's `22.10.1~dfsg+~cs6.17-1`, a certified `certified/20.7-cert5` or `20.7-cert5` (its features are those
 * of 20.7), a release candidate `22.11.0-rc1`, and a build from git, `GIT-22-0a1b2c3`, which names no release.
 */
export function parseAsteriskVersion(text: string): AsteriskVersion {
  const match = /^(?:Asterisk )?(?:certified[/-])?(\d+)\.(\d+)(?:\.(\d+))?/i.exec(text.trim());
  if (match === null) return { text };
  const [, major, minor, patch = '0'] = match;
  return { text, release: [Number(major), Number(minor), Number(patch)] };
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Whoever passes the software on has to name the authors, and no more. */
const PERMISSIVE = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
]);
/** Only changes to the package itself must be passed on; of what is not passed on at all. */
const FOR_DEVELOPMENT = new Set([...PERMISSIVE, 'MPL-2.0']);

/** Whose package.json says it in a way of its own; read in the package. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  'ax 0.1.8': 'MIT',
  'btoa 1.1.1': 'Apache-2.0',
  'shred 0.8.10': 'MIT',
  'sprintf 0.1.1': 'BSD-3-Clause',
  'swagger-client 2.0.26': 'Apache-2.0',
};

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
}

/** All that is installed, production and development. A package for another platform may be absent. */
function installed(): { name: string; dev: boolean; licence: string }[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(packages).flatMap(([path, { version, dev = false, optional, link }]) => {
    const [, name] = /(?:^|.*\/)node_modules\/(.+)$/.exec(path) ?? [];
    if (name === undefined || link) return [];
    const manifest = join(ROOT, path, 'package.json');
    if (!existsSync(manifest) && optional) return [];
    const { license } = JSON.parse(readFileSync(manifest, 'utf8')) as { license?: unknown };
    const id = `${name} ${version}`;
    return [{ name: id, dev, licence: READ_BY_HAND[id] ?? (typeof license === 'string' ? license : 'none') }];
  });
}

/** Of an SPDX expression: one of those that may be chosen, or all that hold together. */
function isAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const words = expression.replace(/[()]/g, '');
  if (words.includes(' OR ')) return words.split(' OR ').some((one) => isAllowed(one, allowed));
  return words.split(' AND ').every((one) => allowed.has(one.trim()));
}

test('every package that is installed may be used, and every one that is passed on with Callfleet passed on', () => {
  const packages = installed();
  expect(packages.filter(({ dev }) => !dev).length).toBeGreaterThan(50);
  const refused = packages.filter(({ dev, licence }) => !isAllowed(licence, dev ? FOR_DEVELOPMENT : PERMISSIVE));
  expect(refused).toEqual([]);
});

test('what is read by hand is there', () => {
  const names = installed().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(READ_BY_HAND)));
});

test.each([
  ['MIT OR GPL-3.0-only', true],
  ['(AFL-2.1 OR BSD-3-Clause)', true],
  ['MIT AND ISC', true],
  ['MIT AND GPL-3.0-only', false],
  ['AGPL-3.0-or-later', false],
  ['SEE LICENSE IN LICENSE.md', false],
  ['none', false],
])('%s: %s', (expression, may) => expect(isAllowed(expression, PERMISSIVE)).toBe(may));

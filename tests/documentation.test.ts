import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const PAGES = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules', '.git'] }).toSorted();

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');
const withoutFences = (text: string) => text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');

/** What `#...` may name on a page: its headings, as GitHub makes anchors of them, and what it names itself. */
function anchorsOf(page: string): Set<string> {
  const text = withoutFences(read(page));
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
  for (const [, heading = ''] of text.matchAll(/^#+ +(.+)$/gm)) {
    const words = heading.replaceAll(/\]\([^)]*\)/g, '').toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again += 1) unique = `${anchor}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Targets of its links, but those to other machines. */
function linksOf(text: string): string[] {
  const prose = withoutFences(text).replaceAll(/`[^`\n]*`/g, 'code');
  return [...prose.matchAll(/\]\(<?([^)>\s]+)|^\[[^\]]+\]: +<?([^>\s]+)/gm)]
    .map(([, inline, defined]) => inline ?? defined ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

function isThere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (file.startsWith('..') || !existsSync(join(ROOT, file))) return false;
  return anchor === undefined || (file.endsWith('.md') && anchorsOf(file).has(anchor));
}

test.each(PAGES)('%s links to what is there', (page) => {
  expect(linksOf(read(page)).filter((target) => !isThere(page, target))).toEqual([]);
});

test('every page of the manual is linked from another', () => {
  const linked = new Set(
    PAGES.flatMap((page) => linksOf(read(page)).map((target) => join(dirname(page), target.split('#')[0] || page))),
  );
  expect(PAGES.filter((page) => dirname(page) === 'docs' && !linked.has(page))).toEqual([]);
});

/** Each command of the command line, with the text that says what it takes. */
const COMMANDS = new Map(
  read('cli/src/main.ts')
    .split(/\.command\(/)
    .slice(1)
    .map((text) => [/^'([\w-]+)/.exec(text)?.[1] ?? '', text]),
);

/** Commands on a page that there are not, and options that theirs does not have. */
function wrongCommands(text: string): string[] {
  return [...text.matchAll(/\/(?:callfleet|src\/main\.ts) ([a-z][\w-]*)((?: [^\n`#&|;()]*)?)/g)].flatMap(
    ([whole, name = '', rest]) => {
      const command = COMMANDS.get(name);
      const options = rest?.match(/ --[a-z][\w-]*/g) ?? [];
      const isWrong = !command || options.some((option) => option !== ' --help' && !takes(command, option.trim()));
      return isWrong ? [whole.trim()] : [];
    },
  );
}

const takes = (command: string, option: string) =>
  new RegExp(`'${option.replace(/^--no-/, '--(no-)?')}[ ']`).test(command);

test.each(PAGES.filter((page) => page !== 'CHANGELOG.md'))('%s names commands that there are', (page) => {
  expect(wrongCommands(read(page))).toEqual([]);
});

test('a command that there is not, and an option that it does not have, would be noticed', () => {
  const text =
    './callfleet demo --once\n`./callfleet fly`, `./callfleet pbxs --loud`\nnode cli/src/main.ts doctor --conf x\n';
  expect(wrongCommands(text)).toEqual(['/callfleet fly', '/callfleet pbxs --loud', '/src/main.ts doctor --conf x']);
});

describe('a link', () => {
  test.each([
    ['docs/kubernetes.md', 'operations.md', true],
    ['docs/kubernetes.md', '#the-image', true],
    ['docs/kubernetes.md', 'operations.md#what-readyz-says-is-missing', true],
    ['docs/kubernetes.md', '../README.md', true],
    ['docs/configuration.md', 'providers.md#how-many-at-once', true],
    ['docs/kubernetes.md', 'README.md', false],
    ['docs/kubernetes.md', 'operations.md#the-image', false],
    ['docs/kubernetes.md', '../../elsewhere.md', false],
  ])('on %s to %s: %s', (page, target, there) => {
    expect(isThere(page, target)).toBe(there);
  });

  test('in code is none, nor one to another machine', () => {
    const text = 'a [b](c.md), `[d](e.md)`, [f](https://g) and [h](i.md#j)\n```\n[k](l.md)\n```\n[m]: n.md\n';
    expect(linksOf(text)).toEqual(['c.md', 'i.md#j', 'n.md']);
  });
});

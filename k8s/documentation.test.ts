import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

describe.each(['kubernetes.md', 'operations.md', 'security.md', 'decisions/0040-unknown-is-not-zero.md'])(
  'docs/%s',
  (page) => {
    const text = readFileSync(join(ROOT, 'docs', page), 'utf8');

    it('names files that are there', () => {
      const named = [...text.matchAll(/(?:^|[\s`"(])((?:k8s|systemd|examples)\/[\w./-]+\w)/g)].map(
        ([, path = '']) => path,
      );
      const own = named.filter((path) => !path.endsWith('overlays/mine'));
      for (const path of own) expect(existsSync(join(ROOT, path)), path).toBe(true);
    });
  },
);

it('docs/kubernetes.md explains every overlay and every component', () => {
  const text = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w-]+)` /gm)].map(([, name]) => name);
  const there = ['overlays', 'components'].flatMap((folder) => readdirSync(join(ROOT, 'k8s', folder)));
  // Its reader's own.
  expect([...rows, 'mine']).toEqual(expect.arrayContaining(there));
});

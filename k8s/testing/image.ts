import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCKERFILE = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');

/** The environment that the image gives each of its processes. */
export const IMAGE_ENV: Readonly<Record<string, string>> = Object.fromEntries(
  [...DOCKERFILE.matchAll(/^ENV (.*)$/gm)]
    .flatMap(([, line = '']) => line.split(' '))
    .map((pair) => pair.split('=') as [string, string]),
);

export const IMAGE_USER = /^USER (.*)$/m.exec(DOCKERFILE)?.[1];

/** What the image's HEALTHCHECK runs: a program and its arguments. */
export const HEALTH_CHECK: readonly string[] = JSON.parse(
  /^\s*CMD (\["node", "-e".*\])$/m.exec(DOCKERFILE)?.[1] ?? '[]',
);

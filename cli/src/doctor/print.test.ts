import { expect, test } from 'vitest';
import { Findings } from './finding.ts';
import { printFindings } from './print.ts';

const nats = new Findings('nats');
const redis = new Findings('redis');

test('findings are grouped by subject and aligned, with what to do below', () => {
  const text = printFindings([
    nats.ok('reachable', '127.0.0.1:4222'),
    nats.warning('version', 'old', 'update'),
    redis.ok('role', 'takes writes'),
  ]);
  expect(text).toBe(`nats
  ✔ reachable  127.0.0.1:4222
  ! version    old
               → update

redis
  ✔ role       takes writes

1 warning: calls can run. docs/doctor.md explains each.
`);
});

test('the verdict counts', () => {
  const verdict = (...findings: Parameters<typeof printFindings>[0]) =>
    printFindings(findings).trimEnd().split('\n').at(-1);
  expect(verdict(nats.ok('a', 'b'))).toBe('All is well.');
  expect(verdict(nats.problem('a', 'b', 'c'), nats.problem('a', 'b', 'c'), nats.warning('a', 'b', 'c'))).toBe(
    '2 problems and 1 warning. docs/doctor.md explains each.',
  );
});

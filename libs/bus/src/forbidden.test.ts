import { PermissionViolationError } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import type { BusError } from './errors.ts';
import { RepeatedRefusals } from './forbidden.ts';

const violation = (subject: string) => new PermissionViolationError('Permissions Violation', 'publish', subject);

test('what is refused for one call after another is told once, and again while it goes on', () => {
  let now = 0;
  const told: BusError[] = [];
  const refusals = new RepeatedRefusals(
    'the user a',
    (error) => told.push(error),
    () => now,
  );
  for (let n = 0; n < 100; n += 1) refusals.hear(violation(`cf.call.pbx-a.${n}.ev`));
  expect(told.map(({ message }) => message)).toEqual([
    expect.stringContaining('may not publish to cf.call.pbx-a.0.ev'),
  ]);
  refusals.hear(violation('cf.call.pbx-a.1.journal'));
  refusals.hear(violation('$JS.API.STREAM.INFO.CALLS'));
  expect(told).toHaveLength(3);
  now = 10_000;
  refusals.hear(violation('cf.call.pbx-b.1.ev'));
  expect(told.at(-1)).toMatchObject({ code: 'CF_NATS_FORBIDDEN', cause: { subject: 'cf.call.pbx-b.1.ev' } });
});

test('what is no refusal is not told', () => {
  const told: BusError[] = [];
  new RepeatedRefusals('the user a', (error) => told.push(error)).hear(new Error('something else'));
  expect(told).toEqual([]);
});

import { expect, test } from 'vitest';
import { legsIn } from './journaled-legs.ts';

test('every leg that a journal tells of is found again with its relay, and two more that may have been begun', () => {
  const legs = legsIn([
    { kind: 'result', operation: 1, name: 'answer' },
    { kind: 'note', operation: 2, value: 'relay-1' },
    { kind: 'result', operation: 2, name: 'connect', value: 'relay-1' },
    { kind: 'note', operation: 3, value: 1763701200000 },
    { kind: 'failure', operation: 5, name: 'connect', error: { code: 'CF_MEDIA_UNAVAILABLE', message: 'full' } },
    { kind: 'note', operation: 7, value: 'relay-2' },
  ]);
  expect(legs).toEqual(['relay-1', undefined, 'relay-2', undefined, undefined]);
});

import type { CallRecord } from '@callfleet/bus';
import { expect, test } from 'vitest';
import { whyCutShort } from './call-outcome.ts';
import { TYPED } from './typing-callers.ts';

const enteredAt = '2026-11-22T09:00:00.000Z';
const endedAt = '2026-11-22T09:00:05.800Z';
const record = (ended: Partial<CallRecord>) => ({ endedBy: 'caller', enteredAt, endedAt, ...ended }) as CallRecord;

test.each([
  ['one who typed all and hung up', record({}), TYPED.length, undefined],
  ['one of whom Asterisk lost a key', record({}), TYPED.length - 1, undefined],
  [
    'one who was gone before',
    record({ endedAt: '2026-11-22T09:00:05.200Z' }),
    TYPED.length - 1,
    'cut off before the caller hung up',
  ],
  ['one who was hung up on', record({ endedBy: 'program' }), TYPED.length, 'ended by program '],
  ['one who was given back', record({ endedBy: 'dialplan', status: 'NOWORKER' }), 0, 'ended by dialplan NOWORKER'],
  [
    'one whose program failed',
    record({ error: { code: 'CF_X', message: 'it broke' } }),
    TYPED.length,
    'CF_X: it broke',
  ],
])('of the callers who are served, %s', (_, ended, pressed, why) => {
  expect(whyCutShort(ended, pressed)).toBe(why);
});

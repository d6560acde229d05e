import { expect, test } from 'vitest';
import { whyFailed } from './call-failure.ts';
import type { CallRecord } from './call-record.ts';

const GOOD = { endedBy: 'caller', media: [{ reason: 'closed' }] } as unknown as CallRecord;

test.each<[string, Partial<CallRecord> | { media: { reason: string }[] }, string | undefined]>([
  ['a caller who hangs up', {}, undefined],
  ['a program that sends its caller to a queue', { endedBy: 'dialplan', status: 'OPERATOR' }, undefined],
  ['whom we called was busy', { endedBy: 'unanswered' }, undefined],
  ['a program that throws', { endedBy: 'error', error: { code: 'CF_PLAY', message: '' } }, 'CF_PLAY'],
  ['a caller nobody took', { endedBy: 'dialplan', status: 'NOWORKER' }, 'NOWORKER'],
  ['an AI that failed', { media: [{ reason: 'closed' }, { reason: 'provider-failed' }] }, 'provider-failed'],
  ['a relay that died', { unmeasured: [{ provider: 'echo', relay: 'r', startedAt: '' }] }, 'relay-lost'],
])('%s', (_what, differs, why) => {
  expect(whyFailed({ ...GOOD, ...differs } as CallRecord)).toBe(why);
});

import { expect, test } from 'vitest';
import { configOf } from './fake-pbx.ts';
import { checkIdentities, type KnownPbx } from './pbx-identity.ts';

const MONDAY = '2026-01-05T00:00:00.000+0000';
const TUESDAY = '2026-01-06T00:00:00.000+0000';

function known(name: string, entityId: string, startup: string, shards = ['callfleet-1', 'callfleet-2']): KnownPbx {
  const [pbx] = configOf([{ name, shards }]).pbxs;
  if (pbx === undefined) throw new Error('no PBX');
  return { pbx, facts: { system: { version: '22.10.1', entity_id: entityId }, status: { startup_time: startup } } };
}

test('PBXs with identities of their own are no finding', () => {
  expect(checkIdentities([known('a', '02:01', MONDAY), known('b', '02:02', MONDAY)])).toEqual([]);
});

test('a clone has the entityid of its original', () => {
  expect(checkIdentities([known('a', '02:01', MONDAY), known('b', '02:01', TUESDAY)])).toMatchObject([
    { subject: 'pbx b', check: 'entityid', level: 'warning', mend: expect.stringMatching(/pbx-config --pbx b/) },
  ]);
});

test('one Asterisk under two names, with the same shards, is a problem', () => {
  expect(checkIdentities([known('a', '02:01', MONDAY), known('b', '02:01', MONDAY)])).toMatchObject([
    { check: 'same machine', level: 'problem', found: expect.stringMatching(/callfleet-1, callfleet-2/) },
  ]);
});

test('with other shards it is only odd', () => {
  const twins = [known('a', '02:01', MONDAY), known('b', '02:01', MONDAY, ['other'])];
  expect(checkIdentities(twins)).toMatchObject([{ check: 'same machine', level: 'warning' }]);
});

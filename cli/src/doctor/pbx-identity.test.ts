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
    { subject: 'pbx b', check: 'entityid', level: 'problem', mend: expect.stringMatching(/pbx-config --pbx b/) },
  ]);
});

test('one Asterisk under two names is a problem, whatever its shards', () => {
  const original = known('a', '02:01', MONDAY);
  for (const shards of [['callfleet-1', 'callfleet-2'], ['other']])
    expect(checkIdentities([original, known('b', '02:01', MONDAY, shards)])).toMatchObject([
      { check: 'same machine', level: 'problem', mend: expect.stringMatching(/one entry of the two/) },
    ]);
});

import { type PbxAnnouncement, PbxDirectory } from '@callfleet/bus';
import { expect, test } from 'vitest';
import { pbxRows } from './rows.ts';
import { printPbxs } from './table.ts';

const T0 = '2026-11-21T12:00:00.000Z';
const T1 = '2026-11-21T12:05:00.000Z';

function told(pbx: string, gateway: string, shard: string, more: Partial<PbxAnnouncement> = {}): PbxAnnouncement {
  const report = { shard, state: 'connected', since: T0, calls: 3 } as const;
  return { pbx, gateway, state: 'CONNECTED', since: T1, shards: [report], openBreakers: [], ...more };
}

function fleet() {
  const directory = new PbxDirectory({ graceMs: 0 });
  directory.hear(told('pbx-a', 'gateway-1-0a1b2c', 'one', { since: T0 }));
  directory.hear(told('pbx-a', 'gateway-2-0a1b2c', 'two'));
  const away = { shard: 'one', state: 'away', since: T0, why: 'it refuses the password', calls: 0 } as const;
  directory.hear(told('pbx-b', 'gateway-1-0a1b2c', 'one', { state: 'DOWN', shards: [away] }));
  directory.hear(
    told('pbx-old', 'gateway-1-0a1b2c', 'one', { state: 'DEGRADED', shards: [{ ...away, state: 'draining' }] }),
  );
  return pbxRows(directory, [
    { name: 'pbx-a', shards: ['one', 'two'] },
    { name: 'pbx-b', shards: ['one'] },
    { name: 'pbx-c', shards: ['one'] },
  ]);
}

test('each PBX has one row: its state, since when, its shards and the calls of all gateways', () => {
  expect(fleet()).toMatchObject([
    { pbx: 'pbx-a', state: 'CONNECTED', since: T0, calls: 6, configured: true },
    { pbx: 'pbx-b', state: 'DOWN', since: T1, why: 'it refuses the password', calls: 0 },
    { pbx: 'pbx-c', state: 'DOWN', why: 'no gateway holds it' },
    { pbx: 'pbx-old', state: 'DEGRADED', configured: false },
  ]);
});

test('the table says it in words', () => {
  const text = printPbxs(fleet(), new Date('2026-11-21T12:10:00Z'));
  expect(text).toMatch(/pbx-a +│ CONNECTED +│ 2026-11-21T12:00:00Z +│ +│ one: gateway-1 +│ +6 │/);
  expect(text).toMatch(/\(10 min\).*two: gateway-2/);
  expect(text).toMatch(/pbx-b +│ DOWN +│ 2026-11-21T12:05:00Z +│ it refuses the password +│ one: gateway-1 \(away\)/);
  expect(text).toMatch(/pbx-c +│ DOWN +│ - +│ no gateway holds it +│ one: no gateway \(away\)/);
  expect(text).toMatch(/pbx-old +│ DEGRADED .*not in this configuration.*one: gateway-1 \(draining\)/);
});

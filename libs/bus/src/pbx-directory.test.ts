import { expect, test } from 'vitest';
import { PbxDirectory } from './pbx-directory.ts';
import type { PbxAnnouncement, ShardReport } from './pbx-messages.ts';

const SHARDS = ['one', 'two'];
const at = (seconds: number) => new Date(seconds * 1000).toISOString();

function told(gateway: string, shards: Record<string, ShardReport['state']>, since = 0): PbxAnnouncement {
  return {
    pbx: 'pbx-a',
    gateway,
    shards: Object.entries(shards).map(([shard, state]) => ({ shard, state, since: at(since), calls: 1 })),
    openBreakers: [],
  };
}

function directoryAt(start = 0) {
  const clock = { now: start };
  return { clock, directory: new PbxDirectory({ now: () => clock.now }) };
}

test('a PBX is what all gateways tell of it together', () => {
  const { directory } = directoryAt();
  directory.hear(told('gateway-1', { one: 'connected' }));
  directory.hear(told('gateway-2', { two: 'away' }));
  expect(directory.conditionOf('pbx-a', SHARDS)).toMatchObject({ state: 'DEGRADED' });
  expect(directory.shardsOf('pbx-a', SHARDS)).toMatchObject([{ gateway: 'gateway-1' }, { gateway: 'gateway-2' }]);
  directory.hear(told('gateway-2', { two: 'connected' }));
  expect(directory.conditionOf('pbx-a', SHARDS)).toEqual({ state: 'CONNECTED' });
});

test('who starts says nothing of shards before their gateways had time to be heard', () => {
  const { clock, directory } = directoryAt();
  expect(directory.conditionOf('pbx-a', SHARDS)).toBeUndefined();
  directory.hear(told('gateway-1', { one: 'connected' }));
  expect(directory.conditionOf('pbx-a', SHARDS)).toBeUndefined();
  clock.now = 5000;
  expect(directory.conditionOf('pbx-a', SHARDS)).toEqual({ state: 'DEGRADED', why: 'two: no gateway holds it' });
});

test('a shard that changes hands is held by nobody for a moment, and that is no news', () => {
  const { clock, directory } = directoryAt();
  directory.hear(told('gateway-1', { one: 'connected', two: 'connected' }));
  clock.now = 1000;
  directory.hear(told('gateway-1', { one: 'connected' }));
  expect(directory.conditionOf('pbx-a', SHARDS)).toBeUndefined();
  directory.hear(told('gateway-1', { one: 'connected', two: 'away' }, 1));
  directory.hear(told('gateway-2', { two: 'connected' }));
  expect(directory.conditionOf('pbx-a', SHARDS)).toEqual({ state: 'CONNECTED' });
});

test('a gateway that is silent holds nothing any more; unless nobody could be heard', () => {
  const { clock, directory } = directoryAt();
  directory.hear(told('gateway-1', { one: 'connected', two: 'connected' }));
  clock.now = 7000;
  directory.keepAll();
  clock.now = 14_000;
  expect(directory.conditionOf('pbx-a', SHARDS)).toEqual({ state: 'CONNECTED' });
  clock.now = 14_001;
  expect(directory.conditionOf('pbx-a', SHARDS)).toEqual({ state: 'DOWN', why: 'no gateway holds it' });
  expect(directory.names).toEqual([]);
});

test('a shard that was taken out counts as long as it drains', () => {
  const { directory } = directoryAt();
  directory.hear(told('gateway-1', { one: 'connected', two: 'connected', old: 'draining', older: 'connected' }));
  expect(directory.shardsOf('pbx-a', SHARDS).map(({ shard }) => shard)).toEqual(['one', 'two', 'old']);
  directory.hear(told('gateway-1', {}));
  expect(directory.names).toEqual([]);
});

test('whose an entityid is', () => {
  const { directory } = directoryAt();
  directory.hear({ ...told('gateway-1', { one: 'connected' }), entityId: '02:01' });
  expect(directory.ownerOf('02:01')).toBe('pbx-a');
  expect(directory.ownerOf('02:02')).toBeUndefined();
});

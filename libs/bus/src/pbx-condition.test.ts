import { expect, test } from 'vitest';
import { pbxCondition } from './pbx-condition.ts';

const one = (state: 'connected' | 'syncing' | 'away' | 'draining', why?: string) => ({ shard: 'one', state, why });
const two = (state: 'connected' | 'syncing' | 'away' | 'draining', why?: string) => ({ shard: 'two', state, why });

test.each([
  ['all sockets stand', [one('connected'), two('connected')], [], 'CONNECTED', undefined],
  ['one is away', [one('connected'), two('away', 'closed')], [], 'DEGRADED', 'two: closed'],
  ['one is away, the other is not ready yet', [one('syncing'), two('away', 'closed')], [], 'SYNCING', 'one: what was'],
  ['one is made again', [one('connected'), two('syncing')], [], 'SYNCING', 'two: what was missed'],
  ['all are away for one reason', [one('away', 'refused'), two('away', 'refused')], [], 'DOWN', 'refused'],
  ['all are away for two reasons', [one('away', 'x'), two('away', 'y')], [], 'DOWN', 'one: x; two: y'],
  ['a breaker is open', [one('connected'), two('connected')], ['media'], 'DEGRADED', 'it fails commands'],
  ['a breaker is open for what is down anyway', [one('away', 'x')], ['media'], 'DOWN', 'x'],
  ['a shard was taken out', [one('connected'), two('draining')], [], 'CONNECTED', undefined],
  ['all of it was taken out', [one('draining'), two('draining')], [], 'DEGRADED', 'taken out of the configuration'],
] as const)('%s', (_what, shards, breakers, state, why) => {
  const condition = pbxCondition(
    shards.map(({ why: because, ...shard }) => ({ ...shard, ...(because !== undefined && { why: because }) })),
    breakers,
  );
  expect(condition.state).toBe(state);
  if (why === undefined) expect(condition).not.toHaveProperty('why');
  else expect(condition.why).toContain(why);
});

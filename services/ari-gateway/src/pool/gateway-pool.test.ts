import type { Presence } from '@callfleet/leases';
import { expect, test } from 'vitest';
import { GatewayPool } from './gateway-pool.ts';

const SHARDS = ['a', 'b', 'c', 'd'].map((pbx) => ({ pbx, shard: 'one' }));

/** A pool seen from one gateway. `asked` are the gateways that it asked after. */
function poolOf(self: string, owners: Record<string, string>, presence: Record<string, Presence> = {}) {
  const asked: string[] = [];
  const pool = new GatewayPool({
    self,
    ownersOf: async (names) => names.map((name) => owners[name.split('/')[1] ?? '']),
    presenceOf: async (gateway) => {
      asked.push(gateway);
      return presence[gateway] ?? 'there';
    },
  });
  return { pool, asked };
}

test('each gateway with shards is asked after by those who would get them, and nobody else is', async () => {
  const owners = { a: 'one', b: 'two', c: 'three', d: 'four' };
  const gateways = ['five', 'four', 'one', 'six', 'three', 'two'];
  const askers: Record<string, number> = {};
  for (const self of gateways) {
    const { pool, asked } = poolOf(self, owners);
    pool.onAlive(gateways);
    await pool.look(SHARDS);
    for (const gateway of asked) askers[gateway] = (askers[gateway] ?? 0) + 1;
  }
  expect(askers).toEqual({ one: 1, two: 1, three: 1, four: 1 });
});

test('one that is gone is none of them, though its session lasts, also when it has no shards any more', async () => {
  const owners = { a: 'one', b: 'one', c: 'two', d: 'two' };
  const presence: Record<string, Presence> = { one: 'gone' };
  const { pool } = poolOf('two', owners, presence);
  pool.onAlive(['one', 'two']);
  expect((await pool.look(SHARDS)).gateways).toEqual(['two']);
  owners.a = 'two';
  owners.b = 'two';
  expect((await pool.look(SHARDS)).gateways).toEqual(['two']);
  // It was cut off only.
  presence.one = 'there';
  expect((await pool.look(SHARDS)).gateways).toEqual(['one', 'two']);
});

test('one that is silent is one of them', async () => {
  const { pool, asked } = poolOf('two', { a: 'one' }, { one: 'silent' });
  pool.onAlive(['one', 'two']);
  expect((await pool.look(SHARDS)).gateways).toEqual(['one', 'two']);
  expect(asked).toEqual(['one']);
});

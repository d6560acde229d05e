import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardsFor } from './shard-assignment.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 8 });

test('every shard has exactly one gateway, and the shards of a PBX different ones as far as there are enough', () => {
  fc.assert(
    fc.property(names, names, fc.integer({ min: 1, max: 5 }), (gateways, pbxs, perPbx) => {
      const shards = pbxs.flatMap((pbx) => Array.from({ length: perPbx }, (_, n) => ({ pbx, shard: `app-${n}` })));
      const held = gateways.map((gateway) => shardsFor(gateway, gateways, shards));
      expect(held.flat()).toHaveLength(shards.length);
      expect(new Set(held.flat())).toEqual(new Set(shards));
      for (const pbx of pbxs) {
        const holders = held.filter((mine) => mine.some((shard) => shard.pbx === pbx)).length;
        expect(holders).toBe(Math.min(perPbx, gateways.length));
      }
    }),
  );
});

test('nobody to hold them: nobody holds them', () => {
  expect(shardsFor('gateway-1', [], [{ pbx: 'a', shard: 's' }])).toEqual([]);
});

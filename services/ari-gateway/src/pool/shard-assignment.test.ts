import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameOf, type Shard } from '../names/shard.ts';
import { assign, type Holders, heirs, nextMove } from './shard-assignment.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 8 });
const shardsOf = (pbxs: readonly string[], perPbx: number): Shard[] =>
  pbxs.flatMap((pbx) => Array.from({ length: perPbx }, (_, n) => ({ pbx, shard: `app-${n}` })));

/** Some of the shards, each with one of the gateways. */
const holdersAmong = (shards: readonly Shard[], gateways: readonly string[], picks: readonly number[]): Holders =>
  new Map(
    shards.flatMap((shard, n) => {
      const gateway = gateways[(picks[n % picks.length] ?? 0) % (gateways.length + 1)];
      return gateway === undefined ? [] : [[nameOf(shard), gateway]];
    }),
  );

/** How many each has, of these shards. */
const counts = (holders: Holders, gateways: readonly string[], shards: readonly Shard[]) =>
  gateways.map((gateway) => shards.filter((shard) => holders.get(nameOf(shard)) === gateway).length);

const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers);
const picks = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 });
const perPbx = fc.integer({ min: 1, max: 5 });

test('every shard has exactly one gateway, and the shards of a PBX different ones as far as there are enough', () => {
  fc.assert(
    fc.property(names, names, perPbx, (gateways, pbxs, each) => {
      const shards = shardsOf(pbxs, each);
      const assigned = assign(shards, new Map(), gateways);
      expect([...assigned.keys()]).toEqual(shards.map(nameOf));
      for (const pbx of pbxs) {
        const holders = shards.filter((shard) => shard.pbx === pbx).map((shard) => assigned.get(nameOf(shard)));
        expect(new Set(holders).size).toBe(Math.min(each, gateways.length));
      }
    }),
  );
});

test('a shard stays with its gateway as long as that one lives', () => {
  fc.assert(
    fc.property(names, names, perPbx, picks, (gateways, pbxs, each, picked) => {
      const shards = shardsOf(pbxs, each);
      const holders = holdersAmong(shards, gateways, picked);
      const [dead, ...alive] = gateways;
      const assigned = assign(shards, holders, alive);
      for (const [name, holder] of holders) if (holder !== dead) expect(assigned.get(name)).toBe(holder);
      expect([...assigned.values()]).not.toContain(dead);
    }),
  );
});

test('moves come to an end, and then all gateways have their share, of each PBX and in all', () => {
  fc.assert(
    fc.property(names, names, perPbx, picks, (gateways, pbxs, each, picked) => {
      const shards = shardsOf(pbxs, each);
      const holders = new Map(assign(shards, holdersAmong(shards, gateways, picked), gateways));
      let moves = 0;
      for (let move = nextMove(shards, holders, gateways); move; move = nextMove(shards, holders, gateways)) {
        expect(holders.get(nameOf(move.shard))).toBe(move.from);
        holders.set(nameOf(move.shard), move.to);
        moves += 1;
        expect(moves).toBeLessThanOrEqual(2 * shards.length);
      }
      expect(spread(counts(holders, gateways, shards))).toBeLessThanOrEqual(1);
      for (const pbx of pbxs) {
        const ofPbx = shards.filter((shard) => shard.pbx === pbx);
        expect(spread(counts(holders, gateways, ofPbx))).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('a gateway that joins gets its share, and nothing else moves', () => {
  const shards = shardsOf(['a', 'b', 'c'], 2);
  const holders = new Map(assign(shards, new Map(), ['one', 'two']));
  const moved: string[] = [];
  const gateways = ['one', 'three', 'two'];
  for (let move = nextMove(shards, holders, gateways); move; move = nextMove(shards, holders, gateways)) {
    holders.set(nameOf(move.shard), move.to);
    moved.push(move.to);
  }
  expect(moved).toEqual(['three', 'three']);
});

test('nothing is moved while a shard has nobody', () => {
  const shards = shardsOf(['a'], 3);
  const holders = new Map([
    ['shard/a/app-0', 'one'],
    ['shard/a/app-1', 'one'],
  ]);
  expect(nextMove(shards, holders, ['one', 'two'])).toBeUndefined();
  expect(nextMove(shards, holders.set('shard/a/app-2', 'one'), ['one', 'two'])).toMatchObject({
    from: 'one',
    to: 'two',
  });
});

test('nobody to hold them: nobody holds them', () => {
  expect(assign([{ pbx: 'a', shard: 's' }], new Map(), [])).toEqual(new Map());
});

test('the heir of a shard is who gets it when its gateway dies, and never who has it', () => {
  fc.assert(
    fc.property(names, names, fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }), (gateways, pbxs, picks) => {
      const shards = shardsOf(pbxs, 2);
      const holders = holdersAmong(shards, gateways, picks);
      // What nobody has is taken by those who live.
      const all = assign(shards, holders, gateways);
      const inherited = heirs(shards, all, gateways);
      for (const dead of gateways) {
        const rest = gateways.filter((gateway) => gateway !== dead);
        const after = assign(shards, all, rest);
        for (const [name, holder] of all)
          if (holder === dead) expect(inherited.get(name)).toBe(rest.length === 0 ? undefined : after.get(name));
      }
    }),
  );
});

test('a shard that nobody has, or whose gateway is dead, has no heir', () => {
  const [one, two] = shardsOf(['pbx-a'], 2);
  if (!one || !two) throw new Error('no shards');
  expect(heirs([one, two], new Map([[nameOf(one), 'dead']]), ['a', 'b'])).toEqual(new Map());
});

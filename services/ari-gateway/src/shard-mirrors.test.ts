import { expect, test } from 'vitest';
import { nameOf, type Shard } from './shard-assignment.ts';
import { ShardMirrors } from './shard-mirrors.ts';

const ONE: Shard = { pbx: 'pbx-a', shard: 'one' };
const TWO: Shard = { pbx: 'pbx-b', shard: 'two' };

function mirrorsOf() {
  const history: string[] = [];
  const open = ({ shard }: Shard) => {
    history.push(`open ${shard}`);
    return {
      connected: true,
      length: 0,
      close: async () => {
        history.push(`close ${shard}`);
      },
    };
  };
  const mirrors = new ShardMirrors({ open });
  const follow = (shards: Shard[], heirs: [Shard, string][]) =>
    mirrors.follow(shards, new Map(heirs.map(([shard, heir]) => [nameOf(shard), heir])), 'self');
  return { mirrors, history, follow };
}

test('a gateway mirrors the shards that it would inherit, and no longer than that', () => {
  const { history, follow } = mirrorsOf();
  follow(
    [ONE, TWO],
    [
      [ONE, 'self'],
      [TWO, 'other'],
    ],
  );
  follow(
    [ONE, TWO],
    [
      [ONE, 'self'],
      [TWO, 'other'],
    ],
  );
  follow(
    [ONE, TWO],
    [
      [ONE, 'other'],
      [TWO, 'self'],
    ],
  );
  expect(history).toEqual(['open one', 'close one', 'open two']);
});

test('while a shard has no holder its mirror stays, and whoever takes the shard takes it', () => {
  const { mirrors, history, follow } = mirrorsOf();
  follow([ONE], [[ONE, 'self']]);
  follow([ONE], []);
  expect(mirrors.take(ONE)).toBeDefined();
  expect(mirrors.take(ONE)).toBeUndefined();
  expect(history).toEqual(['open one']);
});

test('what is taken out of the configuration, or is reached in another way, is mirrored no more', async () => {
  const { mirrors, history, follow } = mirrorsOf();
  follow(
    [ONE, TWO],
    [
      [ONE, 'self'],
      [TWO, 'self'],
    ],
  );
  follow([TWO], [[TWO, 'self']]);
  expect(history.splice(0)).toEqual(['open one', 'open two', 'close one']);
  mirrors.closeOf(new Set(['pbx-b']));
  follow([TWO], [[TWO, 'self']]);
  expect(history.splice(0)).toEqual(['close two', 'open two']);
  await mirrors.close();
  follow([TWO], [[TWO, 'self']]);
  expect(history).toEqual(['close two']);
});

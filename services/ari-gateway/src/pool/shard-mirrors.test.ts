import { expect, test } from 'vitest';
import { nameOf, type Shard } from '../names/shard.ts';
import { ShardMirrors } from './shard-mirrors.ts';

const ONE: Shard = { pbx: 'pbx-a', shard: 'one' };
const TWO: Shard = { pbx: 'pbx-b', shard: 'two' };

function mirrorsOf() {
  const history: string[] = [];
  const replaced = new Set<string>();
  let now = 0;
  const open = ({ shard }: Shard) => {
    history.push(`open ${shard}`);
    return {
      connected: true,
      length: 0,
      get isReplaced() {
        return replaced.delete(shard);
      },
      close: async () => {
        history.push(`close ${shard}`);
      },
    };
  };
  const mirrors = new ShardMirrors({ open, now: () => now });
  /** Looks for so long. */
  const follow = (shards: Shard[], heirs: [Shard, string][], ms = 1000) => {
    for (let passed = 0; passed <= ms; passed += 100) {
      mirrors.follow(shards, new Map(heirs.map(([shard, heir]) => [nameOf(shard), heir])), 'self');
      now += 100;
    }
  };
  return { mirrors, history, replaced, follow };
}

test('a gateway mirrors the shards that it would inherit, and no longer than that', () => {
  const { history, follow } = mirrorsOf();
  const before: [Shard, string][] = [
    [ONE, 'self'],
    [TWO, 'other'],
  ];
  follow([ONE, TWO], before);
  follow([ONE, TWO], before);
  const after: [Shard, string][] = [
    [ONE, 'other'],
    [TWO, 'self'],
  ];
  follow([ONE, TWO], after);
  expect(history).toEqual(['open one', 'open two']);
  follow([ONE, TWO], after, 6000);
  expect(history).toEqual(['open one', 'open two', 'close one']);
});

test('one that has been taken over by the next heir is closed, and opened again only if it is to be ours for a while', () => {
  const { history, replaced, follow } = mirrorsOf();
  follow([ONE], [[ONE, 'self']]);
  replaced.add('one');
  follow([ONE], [[ONE, 'self']], 500);
  follow([ONE], [[ONE, 'other']], 500);
  follow([ONE], [[ONE, 'self']], 500);
  expect(history).toEqual(['open one', 'close one']);
  follow([ONE], [[ONE, 'self']], 500);
  expect(history).toEqual(['open one', 'close one', 'open one']);
});

test('while a shard has no holder its mirror stays, and whoever takes the shard takes it', () => {
  const { mirrors, history, follow } = mirrorsOf();
  follow([ONE], [[ONE, 'self']]);
  follow([ONE], [], 10_000);
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

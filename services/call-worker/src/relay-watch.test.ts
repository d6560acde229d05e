import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { RelayWatch } from './relay-watch.ts';

function watching() {
  let presence: 'there' | 'silent' | 'gone' = 'there';
  let now = 0;
  let asked = 0;
  const watch = new RelayWatch({
    presence: async () => {
      asked += 1;
      return presence;
    },
    now: () => now,
    everyMs: 1,
  });
  onTestFinished(() => watch.close());
  const lost: string[] = [];
  const round = async () => {
    const before = asked;
    while (asked < before + 2) await wait(1);
  };
  return {
    lost,
    watch,
    round,
    asked: () => asked,
    become: (next: typeof presence) => {
      presence = next;
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('the sessions of a relay that is gone are lost, once; those that are closed are not told', async () => {
  const { watch, lost, round, become, asked } = watching();
  watch.watch('relay-1', () => lost.push('a'));
  watch.watch('relay-1', () => lost.push('b'));
  watch.watch('relay-1', () => lost.push('closed'))();
  await round();
  expect(lost).toEqual([]);
  become('gone');
  while (lost.length === 0) await wait(1);
  expect(lost).toEqual(['a', 'b']);
  const before = asked();
  await wait(10);
  expect(asked(), 'nobody is asked for any more').toBe(before);
});

test('one that is silent for long hangs; one that answers in between does not', async () => {
  const { watch, lost, round, become, pass } = watching();
  watch.watch('relay-1', () => lost.push('a'));
  become('silent');
  await round();
  pass(2500);
  await round();
  become('there');
  await round();
  become('silent');
  await round();
  pass(2500);
  await round();
  expect(lost).toEqual([]);
  pass(1000);
  while (lost.length === 0) await wait(1);
  expect(lost).toEqual(['a']);
});

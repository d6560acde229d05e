import { expect, test } from 'vitest';
import { ThreadWatch } from './thread-watch.ts';

/** Checks every 100 ms; each number is how often the thread has beaten by then. */
function watched(watch: ThreadWatch, beats: number[], from = 0): boolean[] {
  return beats.map((count, n) => watch.check(from + n * 100, count));
}

test('a thread that beats is left alone, and one that does not is stuck after the limit', () => {
  const watch = new ThreadWatch(500);
  expect(watched(watch, [1, 3, 5, 7, 9, 11, 13])).not.toContain(true);
  expect(watched(watch, [13, 13, 13, 13, 13], 700)).toEqual([false, false, false, false, true]);
  expect(watch.silentMs).toBe(500);
});

test('a thread that beats again in time is not stuck', () => {
  const watch = new ThreadWatch(500);
  expect(watched(watch, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2])).not.toContain(true);
});

test('time in which the whole process stood still is not held against its threads', () => {
  const watch = new ThreadWatch(500);
  watched(watch, [1, 3]);
  expect(watch.check(10_000, 3)).toBe(false);
  expect(watch.silentMs).toBe(200);
  expect(watch.check(10_100, 5)).toBe(false);
});

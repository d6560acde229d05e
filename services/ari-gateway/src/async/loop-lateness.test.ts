import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LoopLateness } from './loop-lateness.ts';

let stoodMs: number;
let loop: LoopLateness;

beforeEach(() => {
  vi.useFakeTimers();
  stoodMs = 0;
  loop = new LoopLateness(() => performance.now() + stoodMs);
});
afterEach(() => {
  loop.close();
  vi.useRealTimers();
});

/** The loop stands still for so long, and all timers with it. */
const stand = (ms: number) => {
  stoodMs += ms;
};

test('a loop that is in time is not late, however long the wait', async () => {
  const wasLate = loop.since();
  await vi.advanceTimersByTimeAsync(5000);
  expect(wasLate()).toBe(false);
});

test('one turn that took long is seen, before the timer and after it', async () => {
  const wasLate = loop.since();
  await vi.advanceTimersByTimeAsync(100);
  stand(400);
  expect(wasLate()).toBe(true);
  await vi.advanceTimersByTimeAsync(50);
  expect(wasLate()).toBe(true);
  await vi.advanceTimersByTimeAsync(5000);
  expect(wasLate(), 'of a long wait it is no relevant part').toBe(false);
});

test('many turns that took a little too long are as bad', async () => {
  const wasLate = loop.since();
  for (let turn = 0; turn < 100; turn += 1) {
    stand(30);
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(wasLate()).toBe(true);
});

test('what was late before a wait does not count', async () => {
  await vi.advanceTimersByTimeAsync(40);
  stand(5000);
  const wasLate = loop.since();
  await vi.advanceTimersByTimeAsync(500);
  expect(wasLate()).toBe(false);
});

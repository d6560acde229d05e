import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { repeat } from './sip-repeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what gets no reply is sent again, ever more rarely, and is given up', () => {
  const sentAt: number[] = [];
  const began = Date.now();
  const giveUp = vi.fn();
  repeat(() => sentAt.push(Date.now() - began), giveUp);
  vi.advanceTimersByTime(60_000);
  expect(sentAt).toEqual([0, 500, 1500, 3500]);
  expect(giveUp).toHaveBeenCalledOnce();
});

test('a reply ends it', () => {
  const send = vi.fn();
  const giveUp = vi.fn();
  const stop = repeat(send, giveUp);
  vi.advanceTimersByTime(600);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(send).toHaveBeenCalledTimes(2);
  expect(giveUp).not.toHaveBeenCalled();
});

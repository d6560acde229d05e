import { expect, test } from 'vitest';
import { SocketLag } from './socket-lag.ts';

/** A PBX whose clock is off by so much, and a gateway that reads its events. */
function measured(skewMs: number) {
  const lags: number[] = [];
  let now = 1_800_000_000_000;
  const lag = new SocketLag(
    (ms) => lags.push(ms),
    () => now,
  );
  return {
    lags,
    readAfter(ms: number) {
      const stamp = new Date(now + skewMs).toISOString().replace('Z', '+0000');
      now += ms;
      lag.measureNext();
      lag.read(stamp);
    },
    pass: (ms: number) => {
      now += ms;
    },
    lag,
  };
}

test.each([0, -90_000, 90_000])('an event that waits in the socket is late, with clocks %i ms apart', (skewMs) => {
  const { lags, readAfter } = measured(skewMs);
  for (const ms of [3, 2, 2, 1502, 2]) readAfter(ms);
  expect(lags).toEqual([0, 0, 0, 1500, 0]);
});

test('a clock that was set is known for what it is after ten minutes', () => {
  const before = measured(0);
  before.readAfter(2);
  before.pass(300_000);
  before.readAfter(5002);
  before.pass(300_000);
  before.readAfter(5002);
  before.pass(300_000);
  before.readAfter(5002);
  expect(before.lags).toEqual([0, 5000, 0, 0]);
});

test('one event is measured for each time it is asked for, and only one with a time', () => {
  const { lags, lag } = measured(0);
  lag.read(undefined);
  lag.read('nonsense');
  expect(lags).toEqual([]);
  for (let n = 0; n < 3; n += 1) lag.read('2026-11-21T05:45:41.123+0000');
  expect(lags).toHaveLength(1);
});

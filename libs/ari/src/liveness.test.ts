import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Liveness } from './liveness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched() {
  const ping = vi.fn();
  const onSilence = vi.fn();
  return { ping, onSilence, liveness: new Liveness(1000, { ping, onSilence }) };
}

test('a peer that is heard each interval is pinged again', async () => {
  const { ping, onSilence, liveness } = watched();
  ping.mockImplementation(() => liveness.heard());
  await vi.advanceTimersByTimeAsync(5001);
  expect(ping).toHaveBeenCalledTimes(5);
  expect(onSilence).not.toHaveBeenCalled();
  liveness.stop();
});

test('a peer that is silent for a whole interval after a ping is given up', async () => {
  const { ping, onSilence, liveness } = watched();
  await vi.advanceTimersByTimeAsync(1999);
  expect(ping).toHaveBeenCalledTimes(1);
  expect(onSilence).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2);
  expect(onSilence).toHaveBeenCalledTimes(1);
  liveness.stop();
});

test('what waits in the socket while our own process stalls is heard before the verdict', async () => {
  const { onSilence, liveness } = watched();
  await vi.advanceTimersByTimeAsync(1500);
  vi.advanceTimersToNextTimer();
  // Node reads its sockets here, between its timers and setImmediate.
  liveness.heard();
  await vi.advanceTimersByTimeAsync(1);
  expect(onSilence).not.toHaveBeenCalled();
  liveness.stop();
});

test('after stop() nothing happens, not even what was due', async () => {
  const { ping, onSilence, liveness } = watched();
  vi.advanceTimersToNextTimer();
  liveness.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(ping).not.toHaveBeenCalled();
  expect(onSilence).not.toHaveBeenCalled();
});

import { expect, test } from 'vitest';
import { echo } from './echo.ts';
import { SimulatedCall } from './simulated-call.ts';

test('a caller hears himself one frame later', async () => {
  const call = new SimulatedCall('ulaw');
  await call.connect(echo({}));
  const frames = [1, 2, 3].map((byte) => new Uint8Array(160).fill(byte));
  for (const frame of frames) {
    call.session.hear(frame);
    call.say(20, undefined);
  }
  expect(call.played).toEqual(frames);
});

test('a stall does not delay the echo for good', async () => {
  const call = new SimulatedCall('ulaw');
  await call.connect(echo({}));
  call.say(2000, 0.1);
  for (let i = 0; i < 20; i += 1) call.session.hear(new Uint8Array(160));
  expect(call.queuedMs).toBeGreaterThanOrEqual(400);
  call.say(2000, 0.1);
  expect(call.queuedMs).toBeLessThanOrEqual(20);
});

test('jitter alone drops nothing', async () => {
  const call = new SimulatedCall('ulaw');
  await call.connect(echo({}));
  for (let i = 0; i < 200; i += 1) {
    for (let burst = 0; burst < 3; burst += 1) call.session.hear(new Uint8Array(160).fill(1));
    call.say(60, undefined);
  }
  expect(call.playedMs + call.queuedMs).toBe(12_000);
});

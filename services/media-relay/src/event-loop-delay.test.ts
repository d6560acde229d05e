import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchEventLoop } from './event-loop-delay.ts';

test('an event loop that was held up says by how much, once', async () => {
  const takeDelayMs = watchEventLoop();
  await sleep(50);
  takeDelayMs();
  await sleep(50);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await sleep(50);
  expect(takeDelayMs()).toBeGreaterThan(200);
  await sleep(50);
  expect(takeDelayMs()).toBeLessThan(200);
});

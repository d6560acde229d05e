import { expect, test } from 'vitest';
import { Room } from './room.ts';

test('so many have a place, and no more', () => {
  const room = new Room(2);
  expect([room.take(), room.take(), room.take()]).toEqual([true, true, false]);
  room.leave();
  expect([room.take(), room.take()]).toEqual([true, false]);
});

test('who asked for offers is told when the last place is taken, each time', () => {
  const room = new Room(1);
  const before = room.full;
  room.take();
  expect(before.aborted).toBe(true);
  room.leave();
  const again = room.full;
  expect(again.aborted).toBe(false);
  room.take();
  expect(again.aborted).toBe(true);
});

test('who waits for a place is told when one is free, and not before', async () => {
  const room = new Room(2);
  await room.freed;
  room.take();
  room.take();
  let isFreed = false;
  const freed = room.freed.then(() => {
    isFreed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isFreed).toBe(false);
  room.leave();
  room.leave();
  await freed;
  expect(room.free).toBe(2);
  expect(room.full.aborted).toBe(false);
});

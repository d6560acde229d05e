import { expect, test } from 'vitest';
import type { IncomingEvent } from '../events/channel-index.ts';
import { MirroredEvents } from './mirrored-events.ts';

const event = (type: string | number) => ({ type: String(type) }) as IncomingEvent;

test('what was seen is kept in order, and forgotten when it is too old', () => {
  let now = 0;
  const events = new MirroredEvents(1000, () => now);
  for (const type of ['one', 'two', 'three', 'four']) {
    events.take(event(type));
    now += 400;
  }
  expect(events.peek().map(({ type }) => type)).toEqual(['three', 'four']);
  expect(events.length).toBe(2);
  now = 5000;
  expect(events.peek()).toEqual([]);
  expect(events.length).toBe(0);
});

test('looking at it takes nothing away', () => {
  const events = new MirroredEvents(1000, () => 0);
  events.take(event('one'));
  events.peek();
  expect(events.peek().map(({ type }) => type)).toEqual(['one']);
});

test('of a flood the newest are kept', () => {
  const events = new MirroredEvents(1000, () => 0);
  for (let n = 0; n < 50_000; n += 1) events.take(event(n));
  const kept = events.peek().map(({ type }) => Number(type));
  expect(kept).toHaveLength(20_000);
  expect([kept[0], kept.at(-1)]).toEqual([30_000, 49_999]);
});

import { expect, test } from 'vitest';
import type { IncomingEvent } from './channel-index.ts';
import { HeldEvents } from './held-events.ts';

const event = (type: string) => ({ type }) as IncomingEvent;

test('events are held until they are let through, in their order, and from then on pass at once', () => {
  const told: string[] = [];
  const events = new HeldEvents(true, ({ type }) => told.push(type));
  events.take(event('one'));
  events.take(event('two'));
  expect(told).toEqual([]);
  events.letThrough();
  events.take(event('three'));
  events.letThrough();
  expect(told).toEqual(['one', 'two', 'three']);
});

test('when there are too many, they pass: none is lost', () => {
  const told: string[] = [];
  const events = new HeldEvents(true, ({ type }) => told.push(type));
  for (let n = 0; n < 20_001; n += 1) events.take(event(String(n)));
  expect(told).toHaveLength(20_001);
  expect(told.at(-1)).toBe('20000');
});

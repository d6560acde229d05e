import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallEvent } from './call-event.ts';
import { EventOrder } from './event-order.ts';

const event = (source: string, seq: number) => ({ id: `${source}${seq}`, source, seq }) as CallEvent;

function order() {
  const told: string[] = [];
  return { told, order: new EventOrder(({ id }) => told.push(id)) };
}

test('however they pass each other, all are told, those of one source in the order of their numbers', () => {
  const events = [1, 2, 3, 4, 5].flatMap((seq) => [event('a', seq), event('b', seq)]);
  fc.assert(
    fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
      const { told, order: one } = order();
      for (const next of shuffled) one.take(next);
      expect(one.isWaiting).toBe(false);
      for (const source of ['a', 'b'])
        expect(told.filter((id) => id.startsWith(source))).toEqual([1, 2, 3, 4, 5].map((seq) => `${source}${seq}`));
    }),
  );
});

test('one that never comes holds up only its source, and that only until it is given up', () => {
  const { told, order: one } = order();
  for (const next of [event('a', 1), event('a', 4), event('a', 3), event('b', 1)]) one.take(next);
  expect(told).toEqual(['a1', 'b1']);
  expect(one.isWaiting).toBe(true);
  one.giveUpWaiting();
  expect(told).toEqual(['a1', 'b1', 'a3', 'a4']);
  expect(one.isWaiting).toBe(false);
  one.take(event('a', 5));
  // It came after all.
  one.take(event('a', 2));
  expect(told.slice(4)).toEqual(['a5', 'a2']);
});

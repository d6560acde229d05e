import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { DigitEntry } from './digit-entry.ts';

function keypad(options: { digitsFinishKey?: string | null; count?: number } = {}) {
  const time = new SimulatedTime();
  const entered: string[] = [];
  const entry = new DigitEntry({ digitsFinishKey: '#', digitsTimeoutMs: 2000, ...options }, time, (digits) =>
    entered.push(digits),
  );
  const press = (keys: string) => {
    for (const key of keys) entry.press(key);
  };
  return { time, entered, entry, press };
}

test('a number is known at its finish key, without that', () => {
  const { entered, press } = keypad();
  press('12#34#');
  expect(entered).toEqual(['12', '34']);
});

test('a number is known after a pause, counted from its last digit', () => {
  const { time, entered, press } = keypad();
  press('1');
  time.pass(1999);
  press('2');
  time.pass(1999);
  expect(entered).toEqual([]);
  time.pass(1);
  expect(entered).toEqual(['12']);
});

test('the finish key alone is an answer', () => {
  const { entered, press } = keypad();
  press('#');
  expect(entered).toEqual(['#']);
});

test('without a finish key all keys are digits', () => {
  const { time, entered, press } = keypad({ digitsFinishKey: null });
  press('*1#');
  time.pass(2000);
  expect(entered).toEqual(['*1#']);
});

test('a number of known length needs no finish key', () => {
  const { entered, press } = keypad({ count: 4 });
  press('12345');
  expect(entered).toEqual(['1234']);
});

test('somebody who leans on the keypad fills no memory', () => {
  const { entered, press } = keypad();
  press('5'.repeat(100));
  expect(entered).toEqual(['5'.repeat(64)]);
});

test('nothing is told after the end', () => {
  const { time, entered, entry, press } = keypad();
  press('1');
  entry.close();
  time.pass(5000);
  expect(entered).toEqual([]);
});

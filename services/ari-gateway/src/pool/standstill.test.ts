import { expect, test } from 'vitest';
import { Standstill } from './standstill.ts';

test('that the process stood still is noticed by whatever looks first, once', () => {
  let now = 0;
  const noticed: number[] = [];
  const standstill = new Standstill(
    1000,
    (ms) => noticed.push(ms),
    () => now,
  );
  now = 900;
  standstill.look();
  now = 1800;
  standstill.look();
  expect(noticed).toEqual([]);
  now = 7000;
  standstill.look();
  standstill.look();
  expect(noticed).toEqual([5200]);
  standstill.close();
});

import { expect, test } from 'vitest';
import { firstVersion, isAtLeast, isFitAsterisk } from './program-version.ts';

test.each([
  ['Asterisk 22.10.1~dfsg+~cs6.16-1', [22, 10, 1]],
  ['nats-server: v2.15.1', [2, 15, 1]],
  ['Redis server v=7.0.15 sha=00000000:0', [7, 0, 15]],
  [' SIPp v3.6.1-TLS-PCAP.', [3, 6, 1]],
  ['Asterisk 23.5', [23, 5, 0]],
  ['command not found', undefined],
])('%s', (said, version) => {
  expect(firstVersion(said)).toEqual(version);
});

test('a version is compared by numbers, not by letters', () => {
  expect(isAtLeast([2, 9, 10], 2, 11, 0)).toBe(false);
  expect(isAtLeast([2, 11, 0], 2, 11, 0)).toBe(true);
  expect(isAtLeast([10, 0, 0], 9, 9, 9)).toBe(true);
});

test('an Asterisk is fit by its own branch', () => {
  expect(
    [
      [20, 20, 1],
      [22, 10, 1],
      [22, 11, 0],
      [23, 4, 1],
      [24, 0, 0],
    ].every((v) => isFitAsterisk(v as never)),
  ).toBe(true);
  expect(
    [
      [18, 99, 0],
      [20, 20, 0],
      [21, 12, 0],
      [22, 10, 0],
      [23, 4, 0],
    ].some((v) => isFitAsterisk(v as never)),
  ).toBe(false);
});

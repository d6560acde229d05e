import { expect, test } from 'vitest';
import { parseAsteriskVersion } from './asterisk-version.ts';

test.each([
  ['22.10.1', [22, 10, 1]],
  ['22.10.1+dfsg+~cs6.17.60671434-1', [22, 10, 1]],
  ['22.10.1~dfsg+~cs6.15', [22, 10, 1]],
  ['Asterisk 20.20.1', [20, 20, 1]],
  ['23.4', [23, 4, 0]],
  ['22.11.0-rc1', [22, 11, 0]],
  ['certified/20.7-cert5', [20, 7, 0]],
  ['certified-22.8-cert1', [22, 8, 0]],
  ['20.7-cert5', [20, 7, 0]],
])('%s is a release', (text, release) => {
  expect(parseAsteriskVersion(text)).toEqual({ text, release });
});

test.each(['GIT-22-0a1b2c3', 'GIT-22-22.0.0-pre1-212-g08e19d081', 'GIT-master-0a1b2c3', 'UNKNOWN', ''])(
  '%j names no release',
  (text) => {
    expect(parseAsteriskVersion(text)).toEqual({ text });
  },
);

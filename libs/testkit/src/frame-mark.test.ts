import { expect, test } from 'vitest';
import { MARKS, readMark, writeMark } from './frame-mark.ts';

test('a frame says whose it is, and which', () => {
  for (const [call, number] of [
    [0, 0],
    [799, 12_345],
    [3, MARKS - 1],
  ] as const) {
    const frame = new Uint8Array(160).fill(0xff);
    writeMark(frame, call, number);
    expect(readMark(frame)).toEqual({ call, number });
  }
});

test.each([0xff, 0xd5, 0])("silence of bytes %i is nobody's", (byte) => {
  expect(readMark(new Uint8Array(160).fill(byte))).toBeUndefined();
});

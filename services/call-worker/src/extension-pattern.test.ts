import { describe, expect, test } from 'vitest';
import { matchesExtension } from './extension-pattern.ts';

describe('an extension pattern', () => {
  test.each([
    ['100', '100', true],
    ['100', '1000', false],
    ['_1XX', '155', true],
    ['_1XX', '1555', false],
    ['_ZXX', '055', false],
    ['_NXX', '155', false],
    ['_N-XX', '255', true],
    ['_[13-5]0', '40', true],
    ['_[13-5]0', '20', false],
    ['_X.', '5', false],
    ['_X.', '55', true],
    ['_X!', '5', true],
    ['_+49.', '+4930', true],
    ['_*98', '*98', true],
  ])('%s and %s: %s', (pattern, extension, fits) => {
    expect(matchesExtension(pattern, extension)).toBe(fits);
  });
});

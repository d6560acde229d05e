import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfMs, formatNamed, formatNames, fromPcm, msOfBytes, toPcm } from './format.ts';

describe.each(formatNames)('format %s', (name) => {
  const format = formatNamed(name);

  test('has frames of 20 ms', () => {
    expect(msOfBytes(format, format.frameBytes)).toBe(20);
    expect(bytesOfMs(format, 20)).toBe(format.frameBytes);
  });

  test('has silence that is silent', () => {
    const pcm = toPcm(format, new Uint8Array(format.frameBytes).fill(format.silenceByte));
    expect(Math.max(...pcm.map(Math.abs))).toBeLessThanOrEqual(8);
  });

  test('gives back the samples it was made of, as near as it can', () => {
    fc.assert(
      fc.property(fc.int16Array(), (pcm) => {
        const again = toPcm(format, fromPcm(format, pcm));
        expect(again).toHaveLength(pcm.length);
        for (const [i, sample] of pcm.entries()) {
          const limit = format.encoding === 'slin' ? 0 : Math.max(16, Math.abs(sample) / 16);
          expect(Math.abs((again[i] as number) - sample)).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

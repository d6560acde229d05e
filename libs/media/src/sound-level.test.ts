import { describe, expect, test } from 'vitest';
import { formatNamed, fromPcm, toPcm } from './format.ts';
import { dbfsOf, LoudestSecond, SILENCE_DBFS } from './sound-level.ts';
import { tone } from './tone.ts';

const hz440 = { hz: 440, sampleRate: 8000 };

describe('the level of audio', () => {
  test('of a full-scale sine is -3 dBFS, and half of it 6 dB less', () => {
    expect(dbfsOf(tone({ ...hz440, ms: 1000, level: 1 }))).toBeCloseTo(-3.01, 1);
    expect(dbfsOf(tone({ ...hz440, ms: 1000, level: 0.5 }))).toBeCloseTo(-9.03, 1);
  });

  test('of silence, and of nothing, is a number that JSON can hold', () => {
    expect(dbfsOf(new Int16Array(160))).toBe(SILENCE_DBFS);
    expect(dbfsOf(new Int16Array(0))).toBe(SILENCE_DBFS);
    expect(dbfsOf(Int16Array.of(1, ...new Array(1000).fill(0)))).toBe(SILENCE_DBFS);
  });
});

describe('the loudest second', () => {
  const slin = formatNamed('slin');
  const add = (meter: LoudestSecond, pcm: Int16Array, format = slin) => {
    for (let at = 0; at < pcm.length; at += 160) meter.add(fromPcm(format, pcm.subarray(at, at + 160)));
  };

  test('is remembered through the silence after it', () => {
    const meter = new LoudestSecond(slin);
    for (const level of [0.01, 0.5, 0]) add(meter, tone({ ...hz440, ms: 1000, level }));
    expect(meter.dbfs).toBeCloseTo(-9.03, 1);
  });

  test('of a stream that is shorter is its whole', () => {
    const meter = new LoudestSecond(slin);
    expect(meter.dbfs).toBe(SILENCE_DBFS);
    add(meter, tone({ ...hz440, ms: 200, level: 0.5 }));
    expect(meter.dbfs).toBeCloseTo(-9.03, 1);
  });

  test.each(['ulaw', 'alaw', 'slin'] as const)('of %s is that of its samples', (name) => {
    const format = formatNamed(name);
    const pcm = Int16Array.from({ length: 160 }, (_, i) => (i - 80) * 409);
    const meter = new LoudestSecond(format);
    const bytes = fromPcm(format, pcm);
    expect(meter.add(bytes)).toBeCloseTo(dbfsOf(toPcm(format, bytes)), 6);
    expect(meter.dbfs).toBeCloseTo(dbfsOf(toPcm(format, bytes)), 6);
  });
});

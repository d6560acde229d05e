import { describe, expect, test } from 'vitest';
import { formatNamed, formatNames, fromPcm, toPcm } from './format.ts';
import { LossConcealment } from './loss-concealment.ts';
import { dbfsOf } from './sound-level.ts';
import { tone } from './tone.ts';

describe.each(formatNames)('a gap in %s', (name) => {
  const format = formatNamed(name);
  const frame = fromPcm(format, tone({ hz: 400, ms: 20, sampleRate: format.sampleRate }));
  const levels = (frames: Uint8Array[]) => frames.map((bytes) => dbfsOf(toPcm(format, bytes)));

  test('is filled with what was heard last, ever softer, then with silence', () => {
    const concealment = new LossConcealment(format);
    concealment.heard(frame);
    const filled = concealment.conceal(5);
    expect(filled.map(({ length }) => length)).toEqual(new Array(5).fill(format.frameBytes));
    const [first, second, third, ...rest] = levels(filled) as [number, number, number, ...number[]];
    expect(first).toBeGreaterThan(dbfsOf(toPcm(format, frame)) - 3);
    expect(second).toBeLessThan(first - 2);
    expect(third).toBeLessThan(second - 5);
    for (const level of rest) expect(level).toBeLessThan(-70);
    expect(concealment.concealedMs).toBe(100);
  });

  test('goes on where the last sound ended, without a click', () => {
    const concealment = new LossConcealment(format);
    concealment.heard(frame);
    const pcm = toPcm(format, concealment.conceal(1)[0] as Uint8Array);
    expect(Math.abs((pcm[0] as number) - (toPcm(format, frame)[0] as number))).toBeLessThan(50);
  });

  test('is silence where nothing was heard before', () => {
    const concealment = new LossConcealment(format);
    expect(concealment.conceal(2)).toEqual(
      new Array(2).fill(new Uint8Array(format.frameBytes).fill(format.silenceByte)),
    );
  });

  test('of more than a second is a second', () => {
    const concealment = new LossConcealment(format);
    concealment.heard(frame);
    expect(concealment.conceal(3000)).toHaveLength(50);
    expect(concealment.concealedMs).toBe(1000);
  });
});

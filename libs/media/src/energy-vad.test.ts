import { describe, expect, test } from 'vitest';
import { EnergyVad, type EnergyVadOptions } from './energy-vad.ts';
import { tone } from './tone.ts';

/** Says when, in ms from the start, the detector told what, on a line where sound and silence alternate. */
function listen(stretches: Array<{ ms: number; level: number }>, options: Partial<EnergyVadOptions> = {}) {
  const vad = new EnergyVad({ sampleRate: 8000, ...options });
  const told: Array<[string, number]> = [];
  let now = 0;
  for (const { ms, level } of stretches) {
    const pcm = tone({ hz: 300, ms, sampleRate: 8000, level });
    for (let at = 0; at < pcm.length; at += 160) {
      now += 20;
      const what = vad.hear(pcm.subarray(at, at + 160));
      if (what) told.push([what, now]);
    }
  }
  return told;
}

describe('the speech detector', () => {
  test('tells when speech starts and, after the hang-over, that it stopped', () => {
    expect(
      listen([
        { ms: 500, level: 0 },
        { ms: 1000, level: 0.3 },
        { ms: 1000, level: 0 },
      ]),
    ).toEqual([
      ['started', 560],
      ['stopped', 2100],
    ]);
  });

  test('takes the pause between words for speech, a click and line noise for none', () => {
    expect(
      listen([
        { ms: 40, level: 0.9 },
        { ms: 500, level: 0.003 },
        { ms: 400, level: 0.3 },
        { ms: 560, level: 0 },
        { ms: 400, level: 0.3 },
        { ms: 600, level: 0 },
      ]),
    ).toEqual([
      ['started', 600],
      ['stopped', 2500],
    ]);
  });

  test('obeys its options', () => {
    const soft = [
      { ms: 200, level: 0.005 },
      { ms: 200, level: 0 },
    ];
    expect(listen(soft)).toEqual([]);
    expect(listen(soft, { thresholdDbfs: -55, onsetMs: 20, hangoverMs: 100 })).toEqual([
      ['started', 20],
      ['stopped', 300],
    ]);
  });
});

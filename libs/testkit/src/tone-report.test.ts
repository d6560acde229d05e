import { decodeUlaw, encodeUlaw, tone } from '@callfleet/media';
import { expect, test } from 'vitest';
import type { HeardFrame } from './heard-audio.ts';
import { toneReport } from './tone-report.ts';

/** What is heard of these sounds, one behind the other, over a µ-law line. */
function heard(...sounds: Int16Array[]): HeardFrame[] {
  const pcm = decodeUlaw(encodeUlaw(Int16Array.from(sounds.flatMap((sound) => [...sound]))));
  return Array.from({ length: pcm.length / 160 }, (_, i) => ({
    atMs: 1000 + 20 * i,
    ssrc: 1,
    pcm: pcm.subarray(160 * i, 160 * (i + 1)),
  }));
}

const hum = (hz: number, ms: number, level = 0.5) => tone({ hz, ms, sampleRate: 8000, level });
const silence = (ms: number) => new Int16Array(8 * ms);
const mixed = (a: Int16Array, b: Int16Array) => a.map((sample, i) => sample + (b[i] ?? 0));

test('an expected tone is found where it is', () => {
  const { expected, others } = toneReport(heard(silence(500), hum(440, 1000), silence(500)), [440]);
  expect(others).toEqual([]);
  expect(expected).toHaveLength(1);
  expect(Math.abs((expected[0]?.fromMs ?? 0) - 1500)).toBeLessThanOrEqual(40);
  expect(Math.abs((expected[0]?.toMs ?? 0) - 2500)).toBeLessThanOrEqual(40);
  expect(expected[0]?.level).toBeGreaterThan(0.8);
});

test('a tone that follows another at once is told from it', () => {
  const { expected, others } = toneReport(heard(hum(440, 600), hum(620, 600)), [440, 620]);
  expect(others).toEqual([]);
  expect(expected.map(({ hz }) => hz)).toEqual([440, 620]);
});

test('a tone that comes back is reported twice', () => {
  const { expected } = toneReport(heard(hum(440, 300), silence(300), hum(440, 300)), [440]);
  expect(expected).toHaveLength(2);
});

test('a tone that nobody expected is named', () => {
  const { expected, others } = toneReport(heard(silence(200), hum(1004, 500)), [440]);
  expect(expected).toEqual([]);
  expect(others).toHaveLength(1);
  expect(Math.abs((others[0]?.hz ?? 0) - 1004)).toBeLessThan(5);
});

test('crosstalk under an expected tone is named', () => {
  const { expected, others } = toneReport(heard(mixed(hum(440, 1000, 0.3), hum(900, 1000, 0.25))), [440]);
  expect(expected).toHaveLength(1);
  expect(others.map(({ hz }) => Math.round(hz / 10))).toEqual([90]);
});

test.each([0, 100])('%i ms of silence holds no tone', (ms) => {
  expect(toneReport(heard(silence(ms)), [440])).toEqual({ expected: [], others: [] });
});

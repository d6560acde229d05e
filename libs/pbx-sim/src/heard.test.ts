import { expect, test } from 'vitest';
import { CallerVoice, toneOf } from './caller-voice.ts';
import { Heard } from './heard.ts';

/** What somebody with the one tone hears of somebody with the other, for a second. */
function heardOf(own: number, other: number) {
  const heard = new Heard(own);
  const voice = new CallerVoice({ toneHz: other });
  for (let n = 0; n < 50; n += 1) heard.frame(voice.next(), n * 20);
  return heard.report;
}

test.each(Array.from({ length: 50 }, (_, n) => toneOf(n)))('%i Hz is known as the own tone, and no other is', (hz) => {
  expect(heardOf(hz, hz)).toMatchObject({ frames: 50, ownToneFrames: 50, silentFrames: 0, gaps: 0 });
  expect(heardOf(hz, hz + 50)).toMatchObject({ ownToneFrames: 0, otherFrames: 50 });
});

test('silence is no sound', () => {
  const report = heardOf(400, 0);
  expect(report).toMatchObject({ silentFrames: 50, ownToneFrames: 0, otherFrames: 0 });
  expect(report.firstSoundAfterMs).toBeUndefined();
});

test('a stretch in which nothing came is a gap', () => {
  const heard = new Heard(400);
  const voice = new CallerVoice({ toneHz: 400 });
  for (const at of [0, 20, 40, 160, 180]) heard.frame(voice.next(), at);
  expect(heard.report).toMatchObject({ gaps: 1, longestGapMs: 100 });
});

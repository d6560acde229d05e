import { tone } from '@callfleet/media';
import { expect, test } from 'vitest';
import { HeardAudio } from './heard-audio.ts';
import { speechIn } from './heard-speech.ts';

test('speech is from its first to its last sound, as long and as loud as what was not silent', () => {
  const heard = new HeardAudio();
  const frame = tone({ hz: 300, ms: 20, sampleRate: 8000, level: 0.5 });
  for (let atMs = 0; atMs < 1000; atMs += 20) {
    const isLoud = (atMs >= 200 && atMs < 300) || (atMs >= 500 && atMs < 700);
    heard.add({ atMs, ssrc: 1, pcm: isLoud ? frame : new Int16Array(160) });
  }
  expect(speechIn(heard)).toMatchObject({ fromMs: 200, toMs: 700, ms: 300, dbfs: expect.closeTo(-9, 0) });
  expect(speechIn(heard, { fromMs: 300, toMs: 600 })).toMatchObject({ fromMs: 500, toMs: 600 });
  expect(speechIn(heard, { fromMs: 700 })).toBeUndefined();
});

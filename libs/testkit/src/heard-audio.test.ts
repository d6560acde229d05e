import { tone } from '@callfleet/media';
import { expect, test } from 'vitest';
import { HeardAudio } from './heard-audio.ts';

function heard(...frames: Array<{ atMs: number; hz?: number; ssrc?: number }>): HeardAudio {
  const audio = new HeardAudio();
  for (const { atMs, hz, ssrc = 1 } of frames) {
    audio.add({ atMs, ssrc, pcm: hz ? tone({ hz, ms: 20, sampleRate: 8000 }) : new Int16Array(160) });
  }
  return audio;
}

test('a gap is the longest time without a packet, to the named ends too', () => {
  const audio = heard({ atMs: 100 }, { atMs: 120 }, { atMs: 300 }, { atMs: 320 });
  expect(audio.longestGapMs()).toBe(180);
  expect(audio.longestGapMs({ fromMs: 110, toMs: 200 })).toBe(80);
  expect(audio.longestGapMs({ toMs: 1000 })).toBe(680);
  expect(heard().longestGapMs({ fromMs: 0, toMs: 500 })).toBe(500);
  expect(heard().longestGapMs()).toBe(0);
});

test('packets that hold silence are no gap, but silence', () => {
  const audio = heard({ atMs: 0, hz: 440 }, { atMs: 20 }, { atMs: 40 }, { atMs: 60, hz: 440 });
  expect(audio.longestGapMs()).toBe(20);
  expect(audio.longestSilenceMs()).toBe(60);
});

test('a stretch holds the packets that came in it', () => {
  // Of whole periods in 20 ms, so that packets join without a step.
  const audio = heard({ atMs: 0, hz: 450 }, { atMs: 20, hz: 450 }, { atMs: 40, hz: 1000 }, { atMs: 60, hz: 1000 });
  expect(audio.audio().length).toBe(640);
  expect(audio.packetsIn({ fromMs: 20, toMs: 60 })).toBe(2);
  expect(audio.level(450, { toMs: 40 })).toBeGreaterThan(0.9);
  expect(audio.level(450, { fromMs: 40 })).toBeLessThan(0.1);
  expect(audio.firstAudioAtMs).toBe(0);
});

test('another sender is noticed', () => {
  expect(heard({ atMs: 0 }, { atMs: 20, ssrc: 2 }, { atMs: 40, ssrc: 2 }).ssrcChangesAtMs).toEqual([20]);
});

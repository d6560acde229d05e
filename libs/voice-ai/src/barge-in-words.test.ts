import { EnergyVad, FRAME_MS, formatNamed, fromPcm, PlayoutBuffer, tone } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { bargeInByWords, isGated } from './barge-in.ts';
import { BargeInByWords, WORDS_HANGOVER_MS } from './barge-in-words.ts';

const ulaw = formatNamed('ulaw');
const voice = fromPcm(ulaw, tone({ hz: 400, ms: FRAME_MS, sampleRate: 8000, level: 0.5 }));
const hum = new Uint8Array(ulaw.frameBytes).fill(0x7f);

function talking(settings: Record<string, unknown>) {
  const time = new SimulatedTime();
  const buffer = new PlayoutBuffer(ulaw);
  const playout = {
    play: (chunk: Uint8Array) => buffer.push(chunk),
    flush: () => buffer.flush(),
    get queuedMs() {
      return buffer.queuedMs;
    },
    get playedMs() {
      return buffer.playedMs;
    },
  };
  const toAi: number[] = [];
  const cutAtMs: number[] = [];
  const words = new BargeInByWords({
    settings: bargeInByWords.parse(settings),
    format: ulaw,
    time,
    playout,
    ear: new EnergyVad({ sampleRate: 8000, hangoverMs: WORDS_HANGOVER_MS }),
    pass: (_frame, atMs) => toAi.push(atMs),
    interrupt: () => {
      cutAtMs.push(time.now());
      words.onCut(playout.flush());
    },
  });
  const hear = (ms: number, sound: Uint8Array) => {
    for (let at = 0; at < ms; at += FRAME_MS) {
      time.pass(FRAME_MS);
      buffer.takeInto(new Uint8Array(ulaw.frameBytes));
      words.hear(sound);
    }
  };
  const answer = (name: string, ms: number) => {
    words.onAudio(name);
    playout.play(new Uint8Array(ulaw.frameBytes * (ms / FRAME_MS)).fill(1));
  };
  return { time, words, toAi, cutAtMs, hear, answer };
}

test('the bot is cut by the word that makes it enough, and by no fewer', () => {
  const { words, cutAtMs, hear, answer, toAi, time } = talking({ minWords: 3 });
  answer('a', 5000);
  hear(400, voice);
  words.understood('No, ');
  words.understood('wait');
  expect(cutAtMs).toEqual([]);
  hear(200, voice);
  words.understood(' ple');
  expect(cutAtMs).toEqual([time.now()]);
  expect(toAi, 'the AI hears each frame at once').toEqual(toAi.map((_, i) => (i + 1) * FRAME_MS));
  words.understood('ase, I');
  expect(cutAtMs).toHaveLength(1);
});

test('noise and a cough, in which the AI understands nothing, cut nothing', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 1 });
  answer('a', 5000);
  hear(2000, voice);
  words.understood('...');
  expect(cutAtMs).toEqual([]);
});

test('words that are told again and again, with more each time, count once', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 3 });
  answer('a', 5000);
  hear(400, voice);
  for (const interim of ['I', 'I want', 'I want', 'I wand']) words.understood('', interim);
  expect(cutAtMs).toEqual([]);
  words.understood('', 'I want that');
  expect(cutAtMs).toHaveLength(1);
});

test('words of languages without spaces are counted too', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 3 });
  answer('a', 5000);
  hear(400, voice);
  words.understood('我不');
  expect(cutAtMs).toEqual([]);
  words.understood('想要这个');
  expect(cutAtMs).toHaveLength(1);
});

test('what is written down late of the question does not cut the answer to it', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 2 });
  hear(800, voice);
  hear(300, hum);
  answer('a', 5000);
  hear(200, hum);
  words.understood('How is the weather in Bonn?');
  expect(cutAtMs).toEqual([]);
  hear(1200, hum);
  hear(400, voice);
  words.understood('Stop');
  expect(cutAtMs, 'nor does it count for what is said next').toEqual([]);
  words.understood(' it');
  expect(cutAtMs).toHaveLength(1);
});

test('a word now and then is not an interruption, however many there are in all', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 2 });
  answer('a', 20_000);
  for (let n = 0; n < 4; n += 1) {
    hear(300, voice);
    words.understood('Yes.');
    hear(1500, hum);
  }
  expect(cutAtMs).toEqual([]);
  hear(300, voice);
  words.understood('Yes, yes.');
  expect(cutAtMs).toHaveLength(1);
});

test('words in the protected beginning cut the bot when that is over, if the caller still speaks', () => {
  const still = talking({ minWords: 2, protectMs: 1500 });
  still.answer('a', 5000);
  still.hear(1000, voice);
  still.words.understood('Wait a moment');
  expect(still.cutAtMs).toEqual([]);
  still.hear(600, voice);
  expect(still.cutAtMs).toEqual([1500]);

  const silent = talking({ minWords: 2, protectMs: 2500 });
  silent.answer('a', 5000);
  silent.hear(600, voice);
  silent.words.understood('Wait a moment');
  silent.hear(4000, hum);
  expect(silent.cutAtMs).toEqual([]);
});

test('both can be asked for: so many words, and so long', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 1, minSpeechMs: 800 });
  answer('a', 5000);
  hear(400, voice);
  words.understood('Wait');
  expect(cutAtMs).toEqual([]);
  hear(420, voice);
  expect(cutAtMs).toHaveLength(1);
});

test('the bot is not cut again so soon', () => {
  const { cutAtMs, hear, answer, words } = talking({ minWords: 1, coolDownMs: 3000 });
  answer('a', 5000);
  hear(400, voice);
  words.understood('Wait');
  hear(1200, hum);
  answer('b', 8000);
  hear(400, voice);
  words.understood('Wait');
  hear(1200, hum);
  expect(cutAtMs).toHaveLength(1);
  hear(400, voice);
  words.understood('Wait');
  expect(cutAtMs).toHaveLength(2);
});

test('leaves no timer behind', () => {
  const { time, hear, words } = talking({ minWords: 1 });
  hear(400, voice);
  words.close();
  expect(time.timers).toBe(0);
});

test('somebody listens where words are asked for, and nothing is held that would be cut at once', () => {
  expect(isGated(bargeInByWords.parse({ minWords: 1 }), true)).toBe(true);
  expect(() => bargeInByWords.parse({ minWords: 2, resumeAfterMs: 500 })).toThrow('does not go with minWords');
  expect(() => bargeInByWords.parse({ enabled: false, minWords: 2 })).toThrow('takes no more settings');
});

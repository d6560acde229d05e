import { formatNamed } from '@callfleet/media';
import { expect, test } from 'vitest';
import { SPEECH_HZ, type Synthesis } from './espeak.ts';
import { SpokenPhrases } from './spoken-phrases.ts';

const english = { voice: 'en', wordsPerMinute: 165 };
const ulaw = formatNamed('ulaw');

/** Phrases of a second each: 8000 bytes. */
function phrasesOf(maxBytes?: number) {
  const synthesized: string[] = [];
  const synthesize: Synthesis = async (text) => {
    synthesized.push(text);
    if (text === 'unspeakable') throw new Error('it is');
    return new Int16Array(SPEECH_HZ);
  };
  const phrases = new SpokenPhrases(synthesize, maxBytes);
  return { synthesized, audio: (text: string, voice = english, format = ulaw) => phrases.audio(text, voice, format) };
}

test('a phrase that several calls want at once is synthesized once', async () => {
  const { synthesized, audio } = phrasesOf();
  const [one, two] = await Promise.all([audio('Hello.'), audio('Hello.')]);
  expect(one).toHaveLength(8000);
  expect(two).toBe(one);
  expect(await audio('Hello.')).toBe(one);
  expect(synthesized).toEqual(['Hello.']);
});

test('another voice, speed or format is another phrase', async () => {
  const { synthesized, audio } = phrasesOf();
  await audio('Hello.');
  await audio('Hello.', { ...english, voice: 'de' });
  await audio('Hello.', { ...english, wordsPerMinute: 80 });
  expect(await audio('Hello.', english, formatNamed('slin16'))).toHaveLength(32_000);
  expect(synthesized).toHaveLength(4);
});

test('what was not used for the longest time is forgotten first', async () => {
  const { synthesized, audio } = phrasesOf(16_000);
  for (const text of ['one', 'two', 'one', 'three', 'one', 'two']) await audio(text);
  expect(synthesized).toEqual(['one', 'two', 'three', 'two']);
});

test('a phrase that failed is tried again', async () => {
  const { synthesized, audio } = phrasesOf();
  await expect(audio('unspeakable')).rejects.toThrow('it is');
  await expect(audio('unspeakable')).rejects.toThrow('it is');
  expect(synthesized).toHaveLength(2);
});

import { describe, expect, test } from 'vitest';
import { EnergyVad } from './energy-vad.ts';
import type { SpeechDetector } from './speech-turns.ts';
import { VoiceDetector } from './voice-detector.ts';

/** A voice: the harmonics of 120 Hz, formed as in "a" (700 and 1200 Hz), four syllables a second. */
function voice(ms: number, sampleRate: number): Int16Array {
  return Int16Array.from({ length: (ms * sampleRate) / 1000 }, (_, i) => {
    const t = i / sampleRate;
    let sum = 0;
    for (let hz = 120; hz < 3400; hz += 120)
      sum +=
        Math.sin(2 * Math.PI * hz * t) / (1 + ((hz - 700) / 150) ** 2) +
        (0.6 * Math.sin(2 * Math.PI * hz * t)) / (1 + ((hz - 1200) / 200) ** 2);
    return 3000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t));
  });
}

/** The same each time. Peak: of full scale. */
function noise(ms: number, sampleRate: number, peak: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: (ms * sampleRate) / 1000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state / 1_073_741_823 - 1) * peak * 32_767;
  });
}

/** What it says, at which millisecond. */
function listen(detector: SpeechDetector, pcm: Int16Array, sampleRate: number, frameMs = 20) {
  const told: Array<{ what: string; ms: number }> = [];
  const samples = (sampleRate * frameMs) / 1000;
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const what = detector.hear(pcm.subarray(at, at + samples));
    if (what) told.push({ what, ms: ((at + samples) * 1000) / sampleRate });
  }
  return told;
}

const joined = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

describe.each([8000, 16_000, 24_000, 48_000])('the voice detector at %d Hz', (sampleRate) => {
  test('tells when a voice begins and ends, soon after', async () => {
    const detector = await VoiceDetector.create({ sampleRate });
    const quiet = () => noise(1000, sampleRate, 0.002);
    const told = listen(detector, joined(quiet(), voice(1000, sampleRate), quiet(), quiet()), sampleRate);
    expect(told.map(({ what }) => what)).toEqual(['started', 'stopped']);
    const [started, stopped] = told.map(({ ms }) => ms) as [number, number];
    expect(started).toBeGreaterThanOrEqual(1000 + detector.onsetMs);
    expect(started).toBeLessThan(1000 + detector.onsetMs + 100);
    // libfvad has a hangover of its own, of 100 to 200 ms.
    expect(stopped).toBeGreaterThanOrEqual(2000 + detector.hangoverMs);
    expect(stopped).toBeLessThan(2000 + detector.hangoverMs + 300);
    detector.close();
  });

  test('does not take steady noise as loud as soft speech for a voice, as loudness alone does', async () => {
    const detector = await VoiceDetector.create({ sampleRate, strictness: 3 });
    const steady = noise(5000, sampleRate, 0.03);
    expect(listen(detector, steady, sampleRate)).toEqual([]);
    const byEnergy = new EnergyVad({ sampleRate });
    listen(byEnergy, steady, sampleRate);
    expect(byEnergy.speaking).toBe(true);
    detector.close();
  });
});

test('the voice detector says the same however the audio is cut', async () => {
  const pcm = joined(noise(400, 8000, 0.002), voice(700, 8000), noise(1500, 8000, 0.002));
  const said = [];
  for (const frameMs of [10, 20, 30, 25]) {
    const detector = await VoiceDetector.create({ sampleRate: 8000 });
    said.push(listen(detector, pcm, 8000, frameMs).map(({ what }) => what));
    detector.close();
  }
  expect(said).toEqual(new Array(4).fill(['started', 'stopped']));
});

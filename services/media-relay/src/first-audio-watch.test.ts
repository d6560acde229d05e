import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { FirstAudioWatch } from './first-audio-watch.ts';

function watching(owes: 'greeting' | 'answer' | undefined, limitMs = 15_000) {
  const time = new SimulatedTime();
  const silent: string[] = [];
  const watch = new FirstAudioWatch({ owes, limitMs, time, onSilent: (why) => silent.push(why) });
  const speak = (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      time.pass(20);
      watch.heard(20);
    }
  };
  watch.begin();
  return { time, silent, watch, speak };
}

test('an AI that was spoken to and never says anything is noticed, however often the caller asks', () => {
  const { time, silent, speak } = watching('answer');
  time.pass(60_000);
  speak(800);
  for (let i = 0; i < 3; i += 1) {
    time.pass(4000);
    speak(600);
  }
  expect(silent).toEqual([]);
  time.pass(2000);
  expect(silent).toEqual(['said nothing within 15000 ms, though the caller spoke']);
  time.pass(60_000);
  expect(silent).toHaveLength(1);
  expect(time.timers).toBe(0);
});

test('an AI that owes a greeting need not be spoken to', () => {
  const { time, silent } = watching('greeting', 5000);
  time.pass(4999);
  expect(silent).toEqual([]);
  time.pass(1);
  expect(silent).toEqual(['said nothing within 5000 ms, though it has a greeting']);
});

test('an AI that has said something is not watched any more', () => {
  const { time, silent, speak, watch } = watching('answer');
  speak(800);
  time.pass(2000);
  watch.done();
  speak(800);
  time.pass(60_000);
  expect(silent).toEqual([]);
  expect(time.timers).toBe(0);
});

test('nobody answers a cough, or who has not finished', () => {
  const { time, silent, speak } = watching('answer');
  speak(300);
  time.pass(60_000);
  speak(40_000);
  expect(silent).toEqual([]);
});

test.each([
  [undefined, 15_000],
  ['greeting', 0],
] as const)('nobody is watched who owes %s, with a limit of %i ms', (owes, limitMs) => {
  const { time, silent, speak } = watching(owes, limitMs);
  speak(1000);
  time.pass(60_000);
  expect(silent).toEqual([]);
});

import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

function conversation() {
  const time = new SimulatedTime();
  const told: string[] = [];
  return { time, told, turns: new Turns(time, ({ role, text }) => told.push(`${role}: ${text}`)) };
}

test('what the bot said is told after what the caller had said before, though that is known later', () => {
  const { told, turns } = conversation();
  const caller = turns.begin('caller');
  const bot = turns.begin('bot');
  bot.end('It is noon.', { startMs: 1000, endMs: 2000 });
  expect(told).toEqual([]);
  caller.end(' What time is it? ', { startMs: 0, endMs: 900 });
  expect(told).toEqual(['caller: What time is it?', 'bot: It is noon.']);
});

test('a caller whose words nobody wrote down does not hold the others back for long', () => {
  const { time, told, turns } = conversation();
  const caller = turns.begin('caller');
  turns.begin('bot').end('It is noon.', { startMs: 1000, endMs: 2000 });
  time.pass(4999);
  expect(told).toEqual([]);
  time.pass(1);
  expect(told).toEqual(['bot: It is noon.']);
  caller.end('too late', { startMs: 0, endMs: 900 });
  expect(told).toHaveLength(1);
  expect(time.timers).toBe(0);
});

test('a bot that speaks for a minute is waited for', () => {
  const { time, told, turns } = conversation();
  const bot = turns.begin('bot');
  turns.begin('caller').end('Yes.', { startMs: 1000, endMs: 1500 });
  time.pass(60_000);
  bot.end('A long story.', { startMs: 0, endMs: 60_000 });
  expect(told).toEqual(['bot: A long story.', 'caller: Yes.']);
});

test('what has no words, or was not heard at all, is no turn', () => {
  const { told, turns } = conversation();
  turns.begin('caller').end(' ', { startMs: 0, endMs: 500 });
  turns.begin('bot').end('Never heard.', { startMs: 500, endMs: 500 });
  expect(told).toEqual([]);
});

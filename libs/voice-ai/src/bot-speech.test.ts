import { FRAME_MS, formatNamed, PlayoutBuffer } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { BotSpeech } from './bot-speech.ts';
import type { VoiceEvent } from './provider.ts';
import { Turns } from './turns.ts';

const ulaw = formatNamed('ulaw');

function speaking() {
  const time = new SimulatedTime();
  const buffer = new PlayoutBuffer(ulaw);
  const told: VoiceEvent[] = [];
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
  const speech = new BotSpeech(ulaw, playout, time, new Turns(time, (turn) => told.push(turn)));
  const listen = (ms: number) => {
    for (let at = 0; at < ms; at += FRAME_MS) {
      time.pass(FRAME_MS);
      buffer.takeInto(new Uint8Array(ulaw.frameBytes));
    }
  };
  return { time, speech, buffer, told, listen };
}

const audio = (ms: number) => new Uint8Array(ms * 8);

test('of two items that wait to be played, each is cut where it was', () => {
  const { speech, listen } = speaking();
  speech.play(audio(1000), 'answer', 'first');
  speech.play(audio(1000), 'answer', 'second');
  speech.play(audio(1000), 'answer', 'third');
  listen(1400);
  expect(speech.cut()).toEqual({
    unplayedMs: 1600,
    cut: [
      { item: 'second', heardMs: 400 },
      { item: 'third', heardMs: 0 },
    ],
  });
});

test('what comes late of an answer that was cut is not played; the next answer is', () => {
  const { speech, buffer, listen } = speaking();
  speech.play(audio(1000), 'first');
  listen(400);
  speech.cut();
  speech.play(audio(500), 'first');
  expect(buffer.queuedMs).toBe(0);
  speech.play(audio(500), 'second');
  expect(buffer.queuedMs).toBe(500);
});

test('what was heard to its end is not cut, and what follows of it is not dropped', () => {
  const { speech, listen } = speaking();
  speech.play(audio(400), 'answer');
  speech.end('answer');
  listen(1000);
  expect(speech.cut()).toEqual({ unplayedMs: 0, cut: [] });
  expect(speech.isDropped('answer')).toBe(false);
});

test('an answer that comes in pieces with pauses between is one turn, from its first sound to its last', () => {
  const { speech, told, listen } = speaking();
  speech.say('One two.', 'answer');
  listen(200);
  speech.play(audio(400), 'answer');
  listen(1000);
  speech.play(audio(400), 'answer');
  speech.end('answer');
  expect(told).toEqual([]);
  listen(600);
  expect(told).toMatchObject([{ role: 'bot', text: 'One two.' }]);
  const [turn] = told;
  if (turn?.type !== 'turn') return expect.unreachable();
  expect(Math.abs(turn.startMs - 200)).toBeLessThanOrEqual(FRAME_MS);
  expect(Math.abs(turn.endMs - 1600)).toBeLessThanOrEqual(2 * FRAME_MS);
});

test('an AI that never says where its answer ends is taken at its silence', () => {
  const { time, speech, told, listen } = speaking();
  speech.say('One two.', 'answer');
  speech.play(audio(400), 'answer');
  listen(3300);
  expect(told).toEqual([]);
  listen(200);
  expect(told).toMatchObject([{ text: 'One two.', startMs: expect.closeTo(0, -2), endMs: expect.closeTo(400, -2) }]);
  expect(time.timers).toBe(0);
});

test('a mark is called back when what is before it was heard, or was cut', () => {
  const { speech, listen } = speaking();
  const called: string[] = [];
  speech.play(audio(1000), 'answer');
  speech.marks.at(speech.marks.endMs, () => called.push('first'));
  speech.play(audio(1000), 'answer');
  speech.marks.at(speech.marks.endMs, () => called.push('second'));
  listen(980);
  expect(called).toEqual([]);
  listen(60);
  expect(called).toEqual(['first']);
  speech.cut();
  expect(called).toEqual(['first', 'second']);
});

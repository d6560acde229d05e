import { expect, test } from 'vitest';
import { ConversationTimes, type Moment } from './conversation-times.ts';
import type { SessionEvent } from './media-session.ts';

function momentsOf(events: SessionEvent[]): Moment[] {
  const times = new ConversationTimes();
  const stats = {} as Extract<SessionEvent, { type: 'ended' }>['stats'];
  return [...events, { type: 'ended', reason: 'closed', detail: undefined, stats } as const].flatMap((event) =>
    times.take(event),
  );
}

const turn = (role: 'caller' | 'bot', startMs: number, endMs: number): SessionEvent => ({
  type: 'turn',
  role,
  text: 'words',
  startMs,
  endMs,
});

test('the bot answers: how long it was thinking is from the end of the question to the first of the answer', () => {
  const moments = momentsOf([
    turn('bot', 100, 900),
    { type: 'speech-started', atMs: 1000 },
    { type: 'speech-stopped', atMs: 2000 },
    turn('caller', 1000, 2000),
    turn('bot', 2600, 4000),
  ]);
  expect(moments).toEqual([
    { type: 'speak', startMs: 100, endMs: 900, interrupted: false },
    { type: 'listen', startMs: 1000, endMs: 2000 },
    { type: 'think', startMs: 2000, endMs: 2600 },
    { type: 'speak', startMs: 2600, endMs: 4000, interrupted: false },
  ]);
});

test('a greeting, and a second answer to one question, were thought about for nobody', () => {
  const moments = momentsOf([
    turn('bot', 100, 900),
    { type: 'speech-stopped', atMs: 2000 },
    turn('bot', 2600, 4000),
    turn('bot', 5000, 6000),
  ]);
  expect(moments.filter(({ type }) => type === 'think')).toEqual([{ type: 'think', startMs: 2000, endMs: 2600 }]);
});

test('an answer is for what was said before it began, though the caller spoke into it', () => {
  const moments = momentsOf([
    { type: 'speech-stopped', atMs: 2000 },
    { type: 'speech-started', atMs: 3000 },
    { type: 'speech-stopped', atMs: 3400 },
    turn('bot', 2500, 6000),
    turn('bot', 7000, 8000),
  ]);
  expect(moments.filter(({ type }) => type === 'think')).toEqual([
    { type: 'think', startMs: 2000, endMs: 2500 },
    { type: 'think', startMs: 3400, endMs: 7000 },
  ]);
});

test.each(['before', 'after'])('a caller who interrupts: told %s the turn that was cut', (when) => {
  const cut: SessionEvent = { type: 'interrupted', atMs: 3040, unplayedMs: 960 };
  const spoken = turn('bot', 1000, 3040);
  const moments = momentsOf([
    { type: 'speech-started', atMs: 3000 },
    ...(when === 'before' ? [cut, spoken] : [spoken, cut]),
  ]);
  expect(moments).toContainEqual({ type: 'barge-in', atMs: 3040, tookMs: 40, unplayedMs: 960 });
  expect(moments).toContainEqual({ type: 'speak', startMs: 1000, endMs: 3040, interrupted: true });
});

test('an AI that says that the caller speaks when it has silenced the bot', () => {
  const moments = momentsOf([
    { type: 'interrupted', atMs: 3040, unplayedMs: 960 },
    { type: 'speech-started', atMs: 2900 },
  ]);
  expect(moments).toEqual([{ type: 'barge-in', atMs: 3040, tookMs: 140, unplayedMs: 960 }]);
});

test('where nobody told when the caller began, how long it took to interrupt is not known', () => {
  expect(momentsOf([{ type: 'interrupted', atMs: 3040, unplayedMs: 960 }])).toEqual([
    { type: 'barge-in', atMs: 3040, tookMs: undefined, unplayedMs: 960 },
  ]);
});

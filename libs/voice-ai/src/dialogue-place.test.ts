import { expect, test } from 'vitest';
import { dialogueSchema } from './dialogue.ts';
import { placeIn } from './dialogue-place.ts';

const dialogue = dialogueSchema.parse({
  start: 'menu',
  states: {
    menu: { say: 'One or two?', on: { digits: { 1: 'number', 2: 'talk' }, silence: 'bye' } },
    number: { say: 'Your number, please.', collect: { count: 15, finishKey: '#', to: 'book' } },
    book: { tool: { name: 'book', arguments: { number: '{{digits}}' }, to: 'booked' } },
    booked: { say: 'We call {{digits}}. {{result}}', on: { digits: { 1: 'menu' }, silence: 'bye' } },
    talk: { say: 'What do you want?', on: { speech: 'again', silence: 'bye' } },
    again: { say: 'What do you want?', on: { speech: 'talk', silence: 'bye' } },
    bye: { say: 'Good-bye.', end: 'done' },
  },
});

const after = (...said: string[]) =>
  placeIn(
    dialogue,
    said.map((line) => {
      const [role, text = ''] = line.split(': ');
      return { role: role as 'bot' | 'caller', text };
    }),
  );

test('a conversation in which nothing was said, or that another bot had, begins', () => {
  const start = { state: 'menu', digits: '', heardMs: 0, result: '' };
  expect(after()).toEqual(start);
  expect(after('bot: How can I help?', 'caller: I want 2 bicycles.')).toEqual(start);
});

test('it goes on with what was said last, or with what the caller did after', () => {
  expect(after('bot: One or two?')).toMatchObject({ state: 'menu' });
  expect(after('bot: One or two?', 'caller: 9')).toMatchObject({ state: 'menu' });
  expect(after('bot: One ...', 'caller: 1')).toMatchObject({ state: 'number', digits: '1' });
  expect(after('bot: One or two?', 'bot: Good-bye.')).toMatchObject({ state: 'bye' });
  expect(after('bot: One or two?', 'caller: 2', 'bot: What do you want?')).toMatchObject({ state: 'talk' });
});

test('of states that say the same the nearest was it', () => {
  const talk = ['bot: One or two?', 'caller: 2', 'bot: What do you want?', 'caller: (800 ms of speech)'];
  expect(after(...talk)).toMatchObject({ state: 'again', heardMs: 800 });
  expect(after(...talk, 'bot: What do you want?')).toMatchObject({ state: 'again' });
});

test('what the caller entered and what came of it is known', () => {
  const entered = ['bot: One or two?', 'caller: 1', 'bot: Your number, please.', 'caller: 4 7 1 1 #'];
  expect(after(...entered)).toMatchObject({ state: 'book', digits: '4711' });
  const booked = after(...entered, 'bot: We call 4 7 1 1. At nine.');
  expect(booked).toMatchObject({ state: 'booked', digits: '4711', result: 'At nine.' });
  expect(after(...entered, 'bot: We call ...')).toMatchObject({ state: 'booked', digits: '4711' });
});

test('what the program had it say is no state', () => {
  expect(after('bot: One or two?', 'caller: 2', 'bot: What do you want?', 'bot: One moment, please.')).toMatchObject({
    state: 'talk',
  });
});

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dialogueSchema, filledArguments, spokenText } from './dialogue.ts';

/** What is wrong with a dialogue of these states, each as `where: what`. */
function wrongWith(states: Record<string, unknown>, start = 'hello'): string[] {
  const { error } = dialogueSchema.safeParse({ start, states });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const end = { end: 'done' };
const values = { digits: '12#', heardMs: 1200, callSeconds: 7, result: 'sunny' };

test('a dialogue may have all of it', () => {
  expect(
    wrongWith({
      hello: { say: 'Hello.', on: { digits: { 1: 'ask', '*': 'bye' }, speech: 'heard', silence: 'bye' } },
      heard: { say: 'You spoke for {{heardMs}} ms.', on: { silence: 'bye', silenceAfterMs: 1000 } },
      ask: { say: 'Your number?', collect: { count: 4, to: 'book' } },
      book: { tool: { name: 'book', arguments: { number: '{{digits}}' }, to: 'bye' } },
      bye: { say: 'Good-bye. {{result}}', ...end },
    }),
  ).toEqual([]);
});

test.each([
  [{ hello: { on: { speech: 'nowhere' } } }, 'states.hello.on.speech: there is no state "nowhere" (accepted: hello)'],
  [{ hello: { collect: { to: 'x' } } }, 'states.hello.collect.to: there is no state "x" (accepted: hello)'],
  [{ hello: end, bye: end }, 'states.bye: can\'t be reached from "hello"'],
  [{ hello: { say: 'Hello.' } }, /^states\.hello: leads nowhere \(accepted: on with digits/],
  [{ hello: { say: 'x'.repeat(1001), ...end } }, /^states\.hello\.say: Too big: .*1000/],
  [{ hello: { say: 'Hi {{name}}', ...end } }, /^states\.hello: has \{\{name\}\} \(accepted: \{\{digits\}\}, /],
  [{ hello: { on: { digits: { 12: 'hello' } } } }, /^states\.hello: has on\.digits for "12" \(accepted: 0-9/],
  [{ hello: { ...end, on: { speech: 'hello' } } }, 'states.hello: has "end", and so no on'],
  [{ hello: { collect: { to: 'hello' }, on: { digits: { 1: 'hello' } } } }, /^states\.hello: has "collect", which/],
  [{ hello: { tool: { name: 'x', to: 'hello' }, on: { speech: 'hello' } } }, /^states\.hello: has "tool", which/],
  [{ hello: { says: 'Hello.', ...end } }, /^states\.hello: Unrecognized key: "says"/],
])('what is wrong in one is named, with its state: %#', (states, what) => {
  expect(wrongWith(states)).toEqual([typeof what === 'string' ? what : expect.stringMatching(what)]);
});

test('a start that does not exist is named', () => {
  expect(wrongWith({ hello: end }, 'hallo')[0]).toBe('start: there is no state "hallo" (accepted: hello)');
});

test('digits are said one by one, and reach tools as they are', () => {
  expect(spokenText('You entered {{digits}}, {{result}}.', values)).toBe('You entered 1 2 hash, sunny.');
  expect(filledArguments({ number: '{{digits}}', of: 3 }, values)).toEqual({ number: '12#', of: 3 });
});

const fileOf = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('the dialogues of the examples and of the documentation are taken', async () => {
  const [, documented] = /^const dialogue = (\{$.*?^\});$/ms.exec(await fileOf('docs/providers.md')) ?? [];
  for (const dialogue of [JSON.parse(await fileOf('examples/dialogue.json')), new Function(`return ${documented}`)()])
    expect(dialogueSchema.safeParse(dialogue).error).toBeUndefined();
});

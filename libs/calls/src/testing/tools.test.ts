import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCall } from '../define-call.ts';
import { type Tools, tool } from '../tool.ts';
import { simulateCall } from './simulate-call.ts';
import type { ConversationDoing } from './simulation-options.ts';
import { survivesTakeovers } from './survives-takeovers.ts';

const talking = (tools: Tools) =>
  defineCall(async (call) => {
    const conversation = await call.connect('ai', { tools });
    await conversation.ended();
  });

const weather = (run: (city: string, signal: AbortSignal) => unknown, more: Partial<ReturnType<typeof tool>> = {}) => ({
  weather: tool({
    description: 'The weather in a city',
    schema: z.object({ city: z.string() }),
    run: ({ city }, signal) => run(city, signal),
    ...more,
  }),
});

/** @returns what was said and answered */
async function transcriptOf(tools: Tools, ai: readonly ConversationDoing[], cutOff?: number): Promise<string[]> {
  const does = cutOff === undefined ? [] : [{ after: cutOff, hangUp: true as const }];
  const call = simulateCall(talking(tools), { conversations: { ai }, caller: { does }, stepPatienceMs: 50 });
  const outcome = await call.ended();
  expect(outcome.error).toBeUndefined();
  return call.transcript.filter((line) => /toolResult|say|bot/.test(line));
}

const BERLIN: ConversationDoing = { after: 1000, toolCall: { name: 'weather', arguments: { city: 'Berlin' } } };
const END: ConversationDoing = { after: 20_000, ends: 'provider-ended' };

describe('a tool that the AI calls', () => {
  test('runs in the program, and its result goes to the AI', async () => {
    const text = await transcriptOf(
      weather((city) => `sunny in ${city}`),
      [BERLIN, END],
    );
    expect(text).toContain('1.000 conversation.toolResult tool-1 sunny in Berlin');
    const json = await transcriptOf(
      weather((city) => ({ city, degrees: 20 })),
      [BERLIN, END],
    );
    expect(json).toContain('1.000 conversation.toolResult tool-1 {"city":"Berlin","degrees":20}');
    const nothing = await transcriptOf(
      weather(() => undefined),
      [BERLIN, END],
    );
    expect(nothing).toContain('1.000 conversation.toolResult tool-1 done');
  });

  test('is not run with arguments that do not fit: the AI is told what is wrong', async () => {
    const ran: string[] = [];
    const wrong: ConversationDoing = { after: 1000, toolCall: { name: 'weather', arguments: { town: 'Berlin' } } };
    const lines = await transcriptOf(
      weather((city) => ran.push(city)),
      [wrong, END],
    );
    expect(ran).toEqual([]);
    expect(lines.join()).toMatch(/toolResult tool-1 \{"error":"its arguments do not fit: .*city/);
  });

  test('that there is not is answered too', async () => {
    const unknown: ConversationDoing = { after: 1000, toolCall: { name: 'book' } };
    const lines = await transcriptOf(
      weather(() => ''),
      [unknown, END],
    );
    expect(lines).toContain(
      '1.000 conversation.toolResult tool-1 {"error":"there is no tool \\"book\\" (there are: weather)"}',
    );
  });

  test('and throws is told to the AI, and the call goes on', async () => {
    const failing = weather(() => {
      throw new Error('the weather service is away');
    });
    const lines = await transcriptOf(failing, [BERLIN, { after: 1000, bot: 'Sorry.' }, END]);
    expect(lines.join()).toMatch(/toolResult tool-1 \{"error":".*the weather service is away"\}/);
    expect(lines).toContain('2.000 bot says "Sorry."');
  });

  test('and is slow is bridged with a phrase, and given up at its limit', async () => {
    const signals: AbortSignal[] = [];
    const slow = weather(
      (_, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { timeoutMs: 3000, filler: 'One moment.', fillerAfterMs: 500 },
    );
    const lines = await transcriptOf(slow, [BERLIN, END]);
    expect(lines).toContain('1.500 conversation.say "One moment."');
    expect(lines.join()).toMatch(/4\.000 conversation.toolResult tool-1 \{"error":".*not done within 3000 ms"\}/);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('needs no phrase when it is quick', async () => {
    const lines = await transcriptOf(
      weather(() => 'sunny', { filler: 'One moment.' }),
      [BERLIN, END],
    );
    expect(lines.join()).not.toContain('One moment');
  });

  test('does not wait for another that is still running', async () => {
    const first = Promise.withResolvers<string>();
    const tools = weather((city) => {
      if (city === 'Berlin') return first.promise;
      first.resolve('rain');
      return 'snow';
    });
    const oslo: ConversationDoing = { after: 1000, toolCall: { name: 'weather', arguments: { city: 'Oslo' } } };
    const lines = await transcriptOf(tools, [BERLIN, oslo, END]);
    expect(lines).toContain('2.000 conversation.toolResult tool-2 snow');
    expect(lines.join()).toContain('toolResult tool-1 rain');
  });

  test.each([
    ['the caller interrupts', [BERLIN, { after: 500, interrupt: true }, END] as ConversationDoing[], undefined],
    ['the conversation ends', [BERLIN, { after: 500, ends: 'provider-ended' }] as ConversationDoing[], undefined],
    ['the caller hangs up', [BERLIN, END] as ConversationDoing[], 1500],
  ])('is stopped when %s, and the AI is not answered', async (_, ai, cutOff) => {
    const signals: AbortSignal[] = [];
    const forever = weather((_city, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const lines = await transcriptOf(forever, ai, cutOff);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(lines.join()).not.toContain('toolResult');
  });
});

test('tools survive the death of any worker: the AI is answered once', async () => {
  const tools = weather(async (city) => {
    await wait(1);
    return `sunny in ${city}`;
  });
  await survivesTakeovers(talking(tools), { conversations: { ai: [BERLIN, { after: 2000, ends: 'provider-ended' }] } });
});

test.each([
  ['a name that AIs do not take', { 'the weather': weather(() => '').weather }, /"the weather"/],
  [
    'a schema that is no object',
    { weather: tool({ description: '', schema: z.string(), run: () => '' }) },
    /no object/,
  ],
])('refused at once: %s', async (_, tools, why) => {
  const outcome = await simulateCall(talking(tools)).ended();
  expect(outcome.error?.message).toMatch(why);
});

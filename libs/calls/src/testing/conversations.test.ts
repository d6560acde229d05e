import { describe, expect, test } from 'vitest';
import { defineCall } from '../mod.ts';
import { simulateCall } from './mod.ts';
import { codeOf, run } from './run-to-end.ts';

describe('conversations', () => {
  test('follow their script: turns, tool calls, interruptions, and the end', async () => {
    const told: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        const conversation = await call.connect('parrot');
        conversation.on('turn', ({ role, text }) => void told.push(`${role}: ${text}`));
        conversation.on('tool-call-cancelled', ({ id }) => void told.push(`cancelled ${id}`));
        const { id, name, arguments: given } = await conversation.next('tool-call');
        told.push(name, given);
        await conversation.toolResult(id, 'sunny');
        told.push((await conversation.ended()).reason);
      },
      {
        conversations: {
          parrot: [
            { after: 1000, caller: 'How is the weather?' },
            { after: 500, toolCall: { name: 'weather', arguments: { city: 'Berlin' } } },
            { at: 'conversation.toolResult', after: 500, bot: 'Sunny.' },
            { toolCall: { name: 'book' } },
            { after: 500, interrupt: true },
            { after: 1000, ends: 'provider-ended' },
          ],
        },
      },
    );
    expect(told).toEqual([
      ...['caller: How is the weather?', 'weather', { city: 'Berlin' }, 'bot: Sunny.', 'cancelled tool-2'],
      'provider-ended',
    ]);
    expect(transcript.filter((line) => !/next/.test(line))).toEqual([
      '0.000 connect parrot',
      '1.000 caller says "How is the weather?"',
      '1.500 bot calls weather {"city":"Berlin"}',
      '1.500 conversation.toolResult tool-1 sunny',
      '1.500 conversation.ended',
      '2.000 bot says "Sunny."',
      '2.000 bot calls book {}',
      '2.500 caller interrupts',
      '3.500 bot is gone: provider-ended',
      '3.500 hangup',
    ]);
  });

  test('are driven by the test, closed by the program, or not to be had', async () => {
    const call = simulateCall(
      defineCall(async (it) => {
        const conversation = await it.connect('parrot');
        await conversation.next('turn');
        await conversation.close();
        await it.connect('openai').catch((error: unknown) => it.play(`characters:${codeOf(error)}`));
      }),
      { conversations: { openai: 'unavailable' } },
    );
    expect(() => call.inConversation({ bot: 'hello' })).toThrow(/in no conversation/);
    await call.waitFor('connect parrot');
    await call.advance(700);
    call.inConversation({ bot: 'hello' });
    await call.ended();
    expect(call.transcript).toContain('0.700 play characters:CF_MEDIA_UNAVAILABLE');
  });
});

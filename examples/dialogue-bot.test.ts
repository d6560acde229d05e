import { simulateCall } from '@callfleet/calls/testing';
import { expect, test } from 'vitest';
import dialogueBot from './dialogue-bot.ts';

test('the call ends when the bot has said good-bye', async () => {
  const call = simulateCall(dialogueBot, {
    conversations: {
      local: [
        { after: 1000, bot: 'Hello.' },
        { after: 2000, caller: '(900 ms of speech)' },
        { after: 500, bot: 'Good-bye.' },
        { after: 1500, ends: 'provider-ended' },
      ],
    },
  });
  expect((await call.ended()).endedBy).toBe('program');
  expect(call.transcript.slice(0, 2)).toEqual(['0.000 answer', '0.000 connect local']);
});

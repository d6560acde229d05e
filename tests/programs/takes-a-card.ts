import { defineCall } from '@callfleet/calls';

/** Talks with a local OpenAI and records it; after a key it takes a card's number in private, and then talks on. */
export default defineCall(async (call) => {
  await call.answer();
  await call.record({ side: 'both', format: 'wav' });
  const conversation = await call.connect('openai', {
    url: process.env.LOCAL_AI_URL,
    turnDetection: { type: 'server_vad', silenceMs: 300 },
    digitsTimeoutMs: 300,
  });
  await call.gather({ count: 1, firstDigitTimeoutMs: 20_000 });
  await call.inPrivate(() => call.gather({ count: 4, firstDigitTimeoutMs: 20_000 }));
  await conversation.ended();
});

import { defineCall, tool } from '@callfleet/calls';
import { z } from 'zod';

/** Talks with a local OpenAI, whose address the test has put into the environment; it may ask for the weather. */
export default defineCall(async (call) => {
  await call.answer();
  const conversation = await call.connect('openai', {
    url: process.env.LOCAL_AI_URL,
    turnDetection: { type: 'server_vad', silenceMs: 300 },
    tools: {
      weather: tool({
        description: 'The weather in a city',
        schema: z.object({ city: z.string() }),
        run: ({ city }) => `It rains in ${city}.`,
      }),
    },
  });
  await conversation.ended();
});

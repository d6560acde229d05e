import { defineCall } from '@callfleet/calls';
import dialogue from './dialogue.json' with { type: 'json' };

/** Answers, and talks as dialogue.json has it, with espeak-ng's voice: no key, no cloud. */
export default defineCall(async (call) => {
  await call.answer();
  const conversation = await call.connect('local', { dialogue });
  await conversation.ended();
});

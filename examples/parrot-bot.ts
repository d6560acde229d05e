import { defineCall } from '@callfleet/calls';

/** Answers, listens until the caller pauses, and says the same back; until the caller hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  const conversation = await call.connect('parrot');
  await conversation.ended();
});

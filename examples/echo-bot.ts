import { defineCall } from '@callfleet/calls';

/** Answers, and gives the caller's own voice back until the caller hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  const conversation = await call.connect('echo');
  await conversation.ended();
});

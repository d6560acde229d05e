import { defineCall } from '@callfleet/calls';

/** Lets the caller wait a while before it answers: for callers who give up. */
export default defineCall(async (call) => {
  await call.sleep(3000);
  await call.answer();
  await call.sleep(60_000);
});

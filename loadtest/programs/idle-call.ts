import { defineCall } from '@callfleet/calls';

const LONGEST_MS = 3_600_000;

/** Answers, and says nothing until the caller hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  await call.sleep(LONGEST_MS);
});

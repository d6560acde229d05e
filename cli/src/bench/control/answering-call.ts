import { defineCall } from '@callfleet/calls';

const LONGEST_MS = 60_000;

/** Answers, and waits for the caller to hang up. */
export default defineCall(async (call) => {
  await call.answer();
  await call.sleep(LONGEST_MS);
});

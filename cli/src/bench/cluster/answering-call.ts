import { defineCall } from '@callfleet/calls';

const LONGEST_MS = 3_600_000;

/** Answers, and waits for the caller to hang up: idle calls of a scale bench stay for minutes. */
export default defineCall(async (call) => {
  await call.answer();
  await call.sleep(LONGEST_MS);
});

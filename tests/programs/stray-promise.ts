import { defineCall } from '@callfleet/calls';

/** Starts something that nobody waits for, and that fails. */
export default defineCall(async (call) => {
  await call.answer();
  await call.step('begin', () => void Promise.reject(new Error('nobody waits for this')));
  await call.gather({ firstDigitTimeoutMs: 10_000 });
});

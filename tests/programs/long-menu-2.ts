import { defineCall } from '@callfleet/calls';

/** The next version of `long-menu`: it asks for other operations, so it can't go on with a call that the first has begun. */
export default defineCall(async (call) => {
  await call.ring();
  await call.answer();
  const { digits } = await call.gather({ count: 4, firstDigitTimeoutMs: 30_000 });
  if (digits !== '1234') throw new Error(`read ${digits}`);
});

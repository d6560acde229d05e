import { defineCall } from '@callfleet/calls';

/** Never has enough. */
export default defineCall(async (call) => {
  await call.answer();
  const eaten: string[][] = [];
  for (;;) {
    await call.step('eat', () => void eaten.push(Array.from({ length: 200_000 }, (_, n) => `bite ${n}`)));
  }
});

import { setTimeout as wait } from 'node:timers/promises';
import { defineCall } from '@callfleet/calls';

/** Never gives its thread back, from inside a step that has waited for something of its own. */
export default defineCall(async (call) => {
  await call.answer();
  await call.step('think', async () => {
    await wait(700);
    for (;;);
  });
});

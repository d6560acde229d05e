import { defineCall } from '@callfleet/calls';

/** Has a conversation, and then never gives its thread back. */
export default defineCall(async (call) => {
  await call.answer();
  await call.connect('echo');
  await call.sleep(700);
  for (;;);
});

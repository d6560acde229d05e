import { defineCall } from '@callfleet/calls';

export default defineCall(async (call) => {
  await call.answer();
  throw new Error('this program is broken');
});

import { defineCall } from '@callfleet/calls';
import { listen } from './listening-call.ts';

/** The same with a conversation: a relay, a media leg and a bridge more. */
export default defineCall(async (call) => {
  await call.answer();
  await call.connect('echo');
  await listen(call);
});

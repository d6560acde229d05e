import { defineCall } from '@callfleet/calls';

/** Rings, answers, and presses digits towards its caller. */
export default defineCall(async (call) => {
  await call.ring();
  await call.sleep(300);
  await call.answer();
  await call.sendDtmf('42#');
  await call.sleep(2000);
});

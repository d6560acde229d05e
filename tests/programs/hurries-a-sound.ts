import { defineCall } from '@callfleet/calls';

/** Sets a variable while a sound of some seconds plays: Asterisk does so when the sound is over. */
export default defineCall(async (call) => {
  await call.answer();
  const playing = call.play('digits:1234567890', { interruptible: false });
  await call.sleep(500);
  await call.setVariable('HURRIED', 'yes').catch(() => {});
  await playing;
  await call.hangup();
});

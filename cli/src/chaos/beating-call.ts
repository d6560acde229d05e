import { defineCall } from '@callfleet/calls';

const BEAT_MS = 200;

/** In conversation, and sending a command five times a second: it is seen how long a call is without its worker. */
export default defineCall(async (call) => {
  await call.answer();
  await call.connect('echo');
  for (let beat = 1; ; beat += 1) {
    await call.sleep(BEAT_MS);
    await call.setVariable('CALLFLEET_BEAT', String(beat));
  }
});

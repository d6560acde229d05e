import { defineCall } from '@callfleet/calls';

const BEAT_MS = 500;

/** Without audio: a command twice a second, until the caller hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  for (let beat = 1; ; beat += 1) {
    await call.sleep(BEAT_MS);
    await call.setVariable('CALLFLEET_BEAT', String(beat));
  }
});

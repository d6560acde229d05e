import { defineCall } from '@callfleet/calls';

const BEAT_MS = 1000;

/** Answers, and sends a command each second until the caller hangs up. The digits that it is told of are in its record. */
export default defineCall(async (call) => {
  await call.answer();
  for (let beat = 1; ; beat += 1) {
    await call.sleep(BEAT_MS);
    await call.setVariable('CALLFLEET_BEAT', String(beat));
  }
});

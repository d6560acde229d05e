import { defineCall } from '@callfleet/calls';

const BEATS = 30;

/** Sends a command twice a second, for fifteen seconds, and hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  for (let beat = 1; beat <= BEATS; beat += 1) {
    await call.sleep(500);
    await call.setVariable('BEAT', String(beat));
  }
});

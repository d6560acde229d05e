import { defineCall } from '@callfleet/calls';
import { QUIET_BEAT_MS } from './quiet-beat.ts';

/** Without audio: a command every two seconds, until the caller hangs up. So long a sleep goes on after a takeover where it was. */
export default defineCall(async (call) => {
  await call.answer();
  for (let beat = 1; ; beat += 1) {
    await call.sleep(QUIET_BEAT_MS);
    await call.setVariable('CALLFLEET_BEAT', String(beat));
  }
});

import { type Call, defineCall } from '@callfleet/calls';

const BEAT_MS = 1000;

/** Sends a command each second until the caller hangs up. The digits that it is told of are in its record. */
export async function listen(call: Call): Promise<void> {
  for (let beat = 1; ; beat += 1) {
    await call.sleep(BEAT_MS);
    await call.setVariable('CALLFLEET_BEAT', String(beat));
  }
}

export default defineCall(async (call) => {
  await call.answer();
  await listen(call);
});

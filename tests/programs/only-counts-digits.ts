import { defineCall } from '@callfleet/calls';

/** Reads digits to a "#", which must be 0 to 9 again and again, and asks nothing of the PBX meanwhile. */
export default defineCall(async (call) => {
  await call.answer();
  for (let n = 0; ; n += 1) {
    const { digits, reason } = await call.gather({ finishKey: '#', firstDigitTimeoutMs: 60_000 });
    if (reason !== 'count') break;
    if (digits !== String(n % 10)) throw new Error(`digit ${n} was ${digits}`);
  }
  await call.hangup();
});

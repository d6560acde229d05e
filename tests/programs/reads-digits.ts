import { defineCall } from '@callfleet/calls';

/** Reads four digits, puts them where the test can see them, and hangs up. */
export default defineCall(async (call) => {
  await call.answer();
  const { digits } = await call.gather({ prompt: 'sound:hello-world', count: 4, firstDigitTimeoutMs: 10_000 });
  await call.setVariable('CALLERID(name)', `read ${digits}`);
  await call.play(digits === '1234' ? 'sound:vm-goodbye' : 'sound:pbx-invalid', { interruptible: false });
  await call.hangup();
});

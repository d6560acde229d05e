import { defineCall } from '@callfleet/calls';

/** Asks for digits for two minutes, one by one, and says each back: something to be interrupted at any moment. */
export default defineCall(async (call) => {
  await call.answer();
  let pressed = '';
  for (let turn = 0; turn < 6 && pressed.length < 4; turn += 1) {
    const { digits } = await call.gather({ firstDigitTimeoutMs: 20_000 });
    pressed += digits;
    if (digits !== '') await call.play(`digits:${digits}`, { interruptible: false });
  }
  await call.setVariable('CDR(userfield)', pressed);
  if (pressed !== '1234') throw new Error(`read ${pressed}`);
  await call.hangup();
});

import { defineCall } from '@callfleet/calls';

/**
 * A menu: greets, reads a digit, acts on it, hangs up.
 *
 * 1 talks to the parrot bot, 2 says the caller's own number, 0 goes back to the dialplan (to a human queue, say).
 */
export default defineCall(async (call) => {
  await call.answer();

  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const { digits } = await call.gather({ prompt: ['sound:hello-world'], count: 1, firstDigitTimeoutMs: 6000 });

    if (digits === '1') {
      const conversation = await call.connect('parrot');
      await conversation.ended();
      return;
    }
    if (digits === '2') {
      await call.play(call.caller.number === '' ? 'sound:vm-unknown-caller' : `digits:${call.caller.number}`);
      await call.play('sound:vm-goodbye');
      await call.hangup();
      return;
    }
    if (digits === '0') {
      await call.setVariable('CALLFLEET_STATUS', 'OPERATOR');
      await call.continueInDialplan();
      return;
    }
    await call.play('sound:pbx-invalid');
  }
  await call.play('sound:vm-goodbye');
});

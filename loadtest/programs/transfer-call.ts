import { defineCall } from '@callfleet/calls';

/** Answers, and lets the caller talk to the reception. */
export default defineCall(async (call) => {
  await call.answer();
  await call.play('sound:priv-callpending');
  const transferred = await call.transfer('PJSIP/reception', { kind: 'attended' });
  if (transferred.transferred && transferred.kind !== 'blind') await transferred.room.ended();
});

import { defineCall } from '@callfleet/calls';

/** Asks the PBX for one of everything that comes to the same when it is asked for twice. */
export default defineCall(async (call) => {
  await call.ring();
  await call.answer();
  await call.setVariable('GREETED', 'yes');
  await call.play('sound:beep');
  await call.hold();
  await call.unhold();
  await call.mute();
  await call.unmute();
  const recording = await call.record();
  await recording.pause();
  await recording.resume();
  await recording.stop();
  const conversation = await call.connect('echo');
  await conversation.close();
  const dialed = await call.dial('Local/s@agents/n');
  if (!dialed.answered) throw new Error(`the agent did not answer: ${dialed.reason}`);
  const room = await call.bridge(dialed.leg);
  await room.announce('sound:beep');
  await room.leave(dialed.leg);
  await room.close();
  await dialed.leg.hangup();
  await call.hangup();
});

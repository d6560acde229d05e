import { defineCall } from '@callfleet/calls';
import { report } from './report.ts';

/** Tells what it knows of its call, and lets whoever was called hear themselves. */
export default defineCall(async (call) => {
  const { direction, caller, called, args, variables } = call;
  await call.step('report', () => report(call, { direction, caller, called, args, variables }));
  const conversation = await call.connect('echo');
  await conversation.ended();
});

import { defineCall } from '@callfleet/calls';

/** Leaves a timer behind that throws. */
export default defineCall(async (call) => {
  await call.answer();
  await call.step('begin', () => {
    setTimeout(() => {
      throw new Error('nobody catches this');
    }, 300);
  });
  await call.step('go on', () => new Promise((resolve) => setTimeout(resolve, 600)));
});

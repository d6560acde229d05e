import { afterAll, beforeAll, expect } from 'vitest';
import { describeConformance } from './conformance.ts';
import type { ConformancePbx } from './conformance-stage.ts';
import { type SimulatedPbx, startSimulatedPbx } from './mod.ts';

let pbx: SimulatedPbx;

beforeAll(async () => {
  pbx = await startSimulatedPbx({
    applications: ['bot'],
    rounds: 1,
    sounds: { 'sound:beep': 100 },
    missing: ['sound:nope'],
    endpoints: { 'PJSIP/answers': { afterMs: 50 }, 'PJSIP/busy': { does: 'busy' } },
  });
});
afterAll(() => pbx?.stop());

describeConformance((): ConformancePbx => {
  const { httpUrl, username, password } = pbx;
  return {
    kind: 'simulated',
    httpUrl,
    username,
    password,
    async call() {
      const call = pbx.call({ extension: '100' });
      return {
        press: (digit) => call.press(digit),
        hangUp: async () => call.hangUp(),
        async hearsItself() {
          await expect.poll(() => call.heardSoFar.ownToneFrames, { timeout: 5000 }).toBeGreaterThan(10);
          return true;
        },
      };
    },
    endpoint: async (does) => `PJSIP/${does}`,
  };
});

import { type Asterisk, type Phone, placeCall, startAsterisk, startPhone } from '@callfleet/testkit';
import { afterAll, beforeAll } from 'vitest';
import { describeConformance } from './conformance.ts';
import type { ConformancePbx } from './conformance-stage.ts';

const TONE_HZ = 700;
const HEARD_WITHIN_MS = 5000;

let pbx: Asterisk;
const phones: Phone[] = [];

beforeAll(async () => {
  pbx = await startAsterisk({ apps: ['bot'] });
});
afterAll(async () => {
  for (const phone of phones) await phone.stop();
  await pbx?.stop();
});

describeConformance((): ConformancePbx => {
  const { httpUrl, username, password } = pbx;
  return {
    kind: 'real',
    httpUrl,
    username,
    password,
    async call() {
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', audio: { toneHz: TONE_HZ } });
      call.answered.catch(() => {});
      return {
        press: (digit) => call.sendDtmf(digit),
        hangUp: () => call.hangUp(),
        hearsItself: async () => (await call.waitForTone(TONE_HZ, HEARD_WITHIN_MS)) > 0,
      };
    },
    async endpoint(does) {
      const phone = await startPhone({ from: pbx, behaviour: does });
      phones.push(phone);
      return phone.endpoint;
    },
  };
});

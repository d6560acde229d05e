import { type Asterisk, placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';
import { startVoiceAi, type VoiceAi } from './voice-ai.ts';

let ai: VoiceAi;
let system: TestFleet;
const POLL = { timeout: 10_000, interval: 50 };

beforeAll(async () => {
  ai = await startVoiceAi();
  system = await startTestFleet({ config: { relay: { providers: { openai: { maxSessions: 1 } } } } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
  await ai?.stop();
});

test('a key has as many conversations as it may, in whichever relays; one more is for its program to deal with', async () => {
  const [a, b] = system.pbxs as [Asterisk, Asterisk];
  const before = ai.connections.length;
  const first = await placeCall({ to: a.sipAddress, extension: '503', from: '4201' });
  await first.answered;
  await expect.poll(() => ai.connections.length, POLL).toBe(before + 1);

  const second = await placeCall({ to: b.sipAddress, extension: '503', from: '4202' });
  const { error, status } = await system.recordOf('4202');
  await second.hangUp();
  expect(error).toMatchObject({
    code: 'CF_MEDIA_UNAVAILABLE',
    message: expect.stringMatching(/openai by the key OPENAI_API_KEY .*CF_PROVIDER_FULL/),
  });
  expect(status).toBe('PROGRAM_FAILED');
  expect(ai.connections).toHaveLength(before + 1);

  await first.hangUp();
  await system.recordOf('4201');
  const third = await placeCall({ to: b.sipAddress, extension: '503', from: '4203' });
  await third.answered;
  await expect.poll(() => ai.connections.length, POLL).toBe(before + 2);
  await third.hangUp();
  await system.expectNothingLeft();
});

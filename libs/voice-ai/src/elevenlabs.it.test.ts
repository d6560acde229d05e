import { startElevenLabsServer } from '@callfleet/testkit';
import { expect, test, vi } from 'vitest';
import { describeAi } from './ai-conformance.ts';
import { askAndBeAnswered } from './local-ai.ts';

const { ai, connected } = describeAi({
  name: 'elevenlabs',
  start: startElevenLabsServer,
  options: { agent: 'agent_local' },
  without: ['say', 'usage', 'watch', 'tool options', 'words'],
});

test.each(['pcm_16000', 'pcm_24000'])('an agent with another format is understood: %s', async (format) => {
  ai().faults.format = format;
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  expect(call.playedMs).toBeCloseTo(1000, -2);
});

test('an agent with a format that nobody here can read is a failure that names it', async () => {
  ai().faults.format = 'pcm_44100';
  await expect(connected()).rejects.toMatchObject({
    code: 'CF_PROVIDER_PROTOCOL',
    message: expect.stringContaining('pcm_44100'),
  });
});

test('its pings are answered', async () => {
  await connected();
  ai().last.ping();
  await vi.waitFor(() => expect(ai().last.received.at(-1)).toEqual({ type: 'pong', event_id: 1 }));
});

test('an agent that says good-bye ends the conversation when that was heard', async () => {
  ai().answers.push({ text: 'Good-bye.', ms: 1000 });
  const call = await connected();
  await askAndBeAnswered(call);
  ai().last.drop(1000);
  await call.say(500, 0);
  expect(call.events.map(({ type }) => type)).not.toContain('ended');
  await call.say(1000, 0);
  expect(call.events.slice(-2)).toMatchObject([{ type: 'turn', text: 'Good-bye.' }, { type: 'ended' }]);
  expect(call.timers).toBe(0);
});

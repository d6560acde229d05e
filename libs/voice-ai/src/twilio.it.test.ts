import { startMediaStreamsBot } from '@callfleet/testkit';
import { expect, test, vi } from 'vitest';
import { describeAi } from './ai-conformance.ts';
import { askAndBeAnswered, oneOf } from './local-ai.ts';

const { ai, connected } = describeAi({
  name: 'twilio',
  start: startMediaStreamsBot,
  options: { customParameters: { customer: '4711' } },
  without: ['say', 'turns', 'tools', 'texts', 'usage', 'ready', 'watch', 'words'],
});

test('a bot is told what Twilio tells it, in the order and with the numbers of Twilio', async () => {
  const call = await connected();
  await call.say(200, 0.3);
  call.session.digit('5');
  await call.session.close();
  await vi.waitFor(() => expect(ai().last.received).toHaveLength(4));
  const streamSid = expect.stringMatching(/^MZ[0-9a-f]{32}$/);
  const callSid = expect.stringMatching(/^CA[0-9a-f]{32}$/);
  expect(ai().last.received).toMatchObject([
    { event: 'connected', protocol: 'Call', version: '1.0.0' },
    {
      event: 'start',
      sequenceNumber: '1',
      streamSid,
      start: {
        streamSid,
        callSid,
        tracks: ['inbound'],
        customParameters: { customer: '4711' },
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      },
    },
    { event: 'dtmf', sequenceNumber: '12', streamSid, dtmf: { track: 'inbound_track', digit: '5' } },
    { event: 'stop', sequenceNumber: '13', streamSid, stop: { callSid } },
  ]);
  expect(ai().last.complaints).toEqual([]);
  expect(ai().last.heardMs).toBe(200);
});

test('a mark comes back when what is before it was heard, or was cleared', async () => {
  ai().answers.push({ ms: 1000 }, { ms: 3000 });
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(500, 0);
  expect(ai().last.marksReturned).toEqual([]);
  await call.say(700, 0);
  expect(ai().last.marksReturned).toEqual(['answer 1']);
  ai().last.mark('in silence');
  await vi.waitFor(() => {
    call.pass(1);
    expect(ai().last.marksReturned).toEqual(['answer 1', 'in silence']);
  });
  await askAndBeAnswered(call);
  await call.say(200, 0.3);
  await vi.waitFor(() => expect(ai().last.marksReturned).toEqual(['answer 1', 'in silence', 'answer 2']));
  expect(oneOf(call, 'interrupted').unplayedMs).toBeGreaterThan(2000);
});

test('a bot that closes the connection has ended the conversation, when its last words were heard', async () => {
  const call = await connected();
  await askAndBeAnswered(call);
  ai().last.drop(1000);
  await call.say(500, 0);
  expect(call.events).toEqual([]);
  await call.say(1000, 0);
  expect(call.events).toEqual([{ type: 'ended', reason: 'the bot closed the connection' }]);
});

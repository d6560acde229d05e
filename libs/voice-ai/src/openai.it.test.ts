import { startOpenAiServer } from '@callfleet/testkit';
import { expect, test, vi } from 'vitest';
import { describeAi } from './ai-conformance.ts';
import { askAndBeAnswered, oneOf } from './local-ai.ts';

const { ai, connected } = describeAi({
  name: 'openai',
  start: startOpenAiServer,
  options: { turnDetection: { type: 'server_vad', silenceMs: 300 } },
  without: ['words'],
});

test('is told how much of its answer was really heard, and never more than there was', async () => {
  ai().answers.push({ ms: 3000 }, { ms: 500 });
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(500, undefined);
  await call.say(200, 0.3);
  await vi.waitFor(() => expect(ai().last.truncated).toHaveLength(1));
  expect(ai().last.truncated[0]?.ms).toBe(Math.floor(call.playedMs));
  // What was heard to its end is not cut.
  await call.say(600, 0);
  await call.say(1500, undefined);
  await call.say(200, 0.3);
  expect(ai().last.truncated).toHaveLength(1);
});

test('G.711 passes through untouched', async () => {
  const call = await connected({}, 'alaw');
  const update = ai().last.received[0] as { session: { audio: Record<'input' | 'output', { format: unknown }> } };
  expect([update.session.audio.input.format, update.session.audio.output.format]).toEqual([
    { type: 'audio/pcma' },
    { type: 'audio/pcma' },
  ]);
  await call.say(1000, 0.3);
  await vi.waitFor(() => expect(ai().last.heardMs).toBe(1000));
});

test('a model that speaks PCM, though it was asked for G.711, is understood', async () => {
  ai().faults.format = { type: 'audio/pcm', rate: 24_000 };
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  expect(call.playedMs).toBeCloseTo(1000, -2);
  expect(ai().last.heardMs).toBeCloseTo(call.now, -2);
});

test('a format that nobody here can read is a failure that names it', async () => {
  ai().faults.format = { type: 'audio/opus' };
  await expect(connected()).rejects.toMatchObject({
    code: 'CF_PROVIDER_PROTOCOL',
    message: expect.stringContaining('audio/opus'),
  });
});

test.each([
  ['rate_limit_exceeded', 'CF_PROVIDER_LIMITED'],
  ['session_expired', 'CF_PROVIDER_FAILED'],
])('an AI that can go on no more has failed: %s', async (reason, code) => {
  const call = await connected();
  ai().last.sendError('response_cancel_not_active');
  ai().last.sendError(reason);
  const { error } = await vi.waitFor(() => oneOf(call, 'failed'));
  expect(error).toMatchObject({ code, message: expect.stringContaining(reason) });
});

test('an answer that fails is not silence', async () => {
  ai().answers.push({ fails: 'rate_limit_exceeded' });
  const call = await connected();
  await call.say(800, 0.3);
  await call.say(600, 0);
  expect((await vi.waitFor(() => oneOf(call, 'failed'))).error.code).toBe('CF_PROVIDER_LIMITED');
});

test('keys that are pressed while it speaks silence it, and are answered', async () => {
  ai().answers.push({ ms: 3000, unfinished: true }, { text: 'Thank you.', ms: 700 });
  const call = await connected();
  await askAndBeAnswered(call);
  call.session.digit('5');
  call.session.digit('#');
  expect(call.queuedMs).toBe(0);
  const heardMs = call.playedMs;
  await vi.waitFor(() => expect(call.queuedMs).toBe(700));
  await call.say(1000, 0);
  expect(call.playedMs).toBe(heardMs + 700);
});

test('what it is told to say waits until it has finished, and is not said when the caller interrupts', async () => {
  ai().answers.push({ ms: 3000, unfinished: true }, { text: 'Yes?', ms: 500 });
  const call = await connected();
  await askAndBeAnswered(call);
  call.session.say?.('Please hold the line.');
  await call.say(500, 0);
  await call.say(500, 0.3);
  await call.say(1500, 0);
  const told = JSON.stringify(ai().last.received);
  expect(told).not.toContain('hold the line');
  call.session.say?.('Thank you for waiting.');
  await vi.waitFor(() =>
    expect(ai().last.received.at(-1)).toEqual({
      type: 'response.create',
      event_id: 'say_1',
      response: { instructions: 'Say exactly this to the caller: Thank you for waiting.', tool_choice: 'none' },
    }),
  );
});

test('what it is told to say in the moment in which it begins to answer is said after that', async () => {
  ai().answers.push({ text: 'An answer.', ms: 1000, unfinished: true });
  const call = await connected();
  await call.say(800, 0.3);
  const silence = new Uint8Array(160).fill(0xff);
  for (let i = 0; i < 20; i += 1) call.session.hear(silence);
  call.session.say?.('Please hold the line.');
  await vi.waitFor(() => expect(call.queuedMs).toBe(1000));
  await call.say(200, 0);
  ai().last.finish();
  await call.say(3000, 0);
  const bot = call.events.filter((event) => event.type === 'turn' && event.role === 'bot');
  expect(bot).toMatchObject([{ text: 'An answer.' }, { text: 'Please hold the line.' }]);
  const asked = ai().last.received.filter(({ type }) => type === 'response.create');
  expect(asked.map(({ event_id }) => event_id)).toEqual(['say_1', 'say_2']);
});

test('greets the caller first', async () => {
  ai().answers.push({ text: 'Hello!', ms: 500 });
  const call = await connected({ greeting: 'Hello!' });
  await vi.waitFor(() => expect(call.queuedMs).toBe(500));
  expect(JSON.stringify(ai().last.received.at(-1))).toContain('Hello!');
});

test('is told of a cut only when it was one', async () => {
  ai().answers.push({ ms: 3000 });
  const call = await connected({ bargeIn: { resumeAfterMs: 500 } });
  await askAndBeAnswered(call, 'voice');
  await call.say(200, 'voice');
  await call.say(1000, 0);
  expect(ai().last.truncated).toEqual([]);
  expect(ai().last.heardMs).toBeGreaterThan(2000);
  const { playedMs } = call;
  await call.say(1000, 'voice');
  await vi.waitFor(() => expect(ai().last.truncated).toHaveLength(1));
  expect(Math.abs((ai().last.truncated[0]?.ms ?? 0) - playedMs)).toBeLessThan(250);
});

test('a caller who may not interrupt is heard all the same', async () => {
  ai().answers.push({ ms: 3000 });
  const call = await connected({ bargeIn: { enabled: false } });
  await askAndBeAnswered(call, 'voice');
  await call.say(1000, 0.3);
  await vi.waitFor(() => expect(call.events.filter(({ type }) => type === 'speech-started')).toHaveLength(2));
});

import { startGeminiServer } from '@callfleet/testkit';
import { expect, test, vi } from 'vitest';
import { describeAi } from './ai-conformance.ts';
import { askAndBeAnswered, countOf, oneOf } from './local-ai.ts';

const { ai, connected } = describeAi({ name: 'gemini', start: startGeminiServer, without: ['watch'] });

test('a conversation goes on over a new connection when the old one is about to end', async () => {
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  const old = ai().last;
  old.goAway('10s');
  await vi.waitFor(() => expect(ai().last).not.toBe(old));
  await vi.waitFor(() => expect(ai().last.resumedWith).toBe('handle-1'));
  await vi.waitFor(() => expect(old.closed).toEqual({ code: 1000 }));
  const before = call.playedMs;
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  expect(call.playedMs - before).toBeCloseTo(1000, -2);
  expect(call.events.filter(({ type }) => type === 'failed')).toEqual([]);
});

test('what is being said comes to its end before the connection is replaced, if there is time', async () => {
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  ai().answers.push({ ms: 500, unfinished: true });
  await askAndBeAnswered(call);
  const old = ai().last;
  old.goAway('5s');
  await call.say(1000, undefined);
  expect(ai().last).toBe(old);
  await call.say(2100, undefined);
  await vi.waitFor(() => expect(ai().last).not.toBe(old));
});

test('what the caller says while the connection is replaced is heard', async () => {
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  const old = ai().last;
  old.goAway('0s');
  await vi.waitFor(() => expect(old.closed).toBeDefined());
  const frame = new Uint8Array(160).fill(0xff);
  for (let i = 0; i < 50; i += 1) call.session.hear(frame);
  await vi.waitFor(() => expect(ai().last.heardMs).toBeGreaterThan(980));
});

test('what was asked to be done meanwhile is answered over the new connection', async () => {
  const call = await connected({ tools: [{ name: 'weather', description: 'The weather.' }] });
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  ai().answers.push({ tool: { name: 'weather', arguments: {} } });
  await call.say(800, 0.3);
  await call.say(600, 0);
  const { id } = await vi.waitFor(() => oneOf(call, 'tool-call'));
  const old = ai().last;
  old.goAway('0s');
  await vi.waitFor(() => expect(old.closed).toBeDefined());
  call.session.toolResult(id, 'It rains.');
  await vi.waitFor(() => expect(JSON.stringify(ai().last.received)).toContain('It rains.'));
  expect(ai().last).not.toBe(old);
});

test.each([
  ['hang', 0],
  ['mute', 1],
] as const)('a call that ends while its connection is replaced leaves nothing behind: %s', async (fault, more) => {
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  const old = ai().last;
  const before = ai().connections.length;
  ai().faults[fault] = true;
  old.goAway('0s');
  await vi.waitFor(() => expect(old.closed).toBeDefined());
  await vi.waitFor(() => expect(ai().connections).toHaveLength(before + more));
  await call.session.close();
  expect(call.timers).toBe(0);
  await vi.waitFor(() =>
    expect(
      ai()
        .connections.slice(before)
        .every(({ closed }) => closed),
    ).toBe(true),
  );
  expect(call.events.filter(({ type }) => type === 'failed')).toEqual([]);
});

test('a connection that breaks is replaced where the AI can go on; one that breaks again and again has failed', async () => {
  const call = await connected();
  await askAndBeAnswered(call);
  await call.say(1500, 0);
  call.pass(9000);
  const old = ai().last;
  await call.say(20, 0);
  old.drop();
  await vi.waitFor(() => expect(ai().last.resumedWith).toBe('handle-1'));
  await call.say(200, 0);
  ai().last.drop();
  expect((await vi.waitFor(() => oneOf(call, 'failed'))).error.code).toBe('CF_PROVIDER_LOST');
});

test('what it asked to be done and wants no more is told', async () => {
  ai().answers.push({ tool: { name: 'weather', arguments: {} } });
  const call = await connected({ tools: [{ name: 'weather', description: 'The weather.' }] });
  await call.say(800, 0.3);
  await call.say(600, 0);
  const { id } = await vi.waitFor(() => oneOf(call, 'tool-call'));
  ai().last.cancelCall(id);
  expect(await vi.waitFor(() => oneOf(call, 'tool-call-cancelled'))).toEqual({ type: 'tool-call-cancelled', id });
});

test('what it is to say does not take back what it wants done', async () => {
  ai().answers.push({ tool: { name: 'weather', arguments: {} } });
  const call = await connected({ tools: [{ name: 'weather', description: 'The weather.' }] });
  await call.say(800, 0.3);
  await call.say(600, 0);
  const { id } = await vi.waitFor(() => oneOf(call, 'tool-call'));
  call.session.say?.('Please hold the line.');
  call.session.toolResult(id, 'It rains.');
  await vi.waitFor(() => expect(JSON.stringify(ai().last.received)).toContain('It rains.'));
  expect(JSON.stringify(ai().last.received)).not.toContain('hold the line');
});

test('greets the caller first', async () => {
  const call = await connected({ greeting: 'Hello!' });
  await vi.waitFor(() => expect(call.queuedMs).toBeGreaterThan(990));
  expect(JSON.stringify(ai().last.received)).toContain('Hello!');
});

test('of a model that tells again and again what the caller may be saying, each word counts once', async () => {
  ai().answers.push({ ms: 6000 });
  const call = await connected({ bargeIn: { minWords: 4 } });
  ai().last.tellsInterim = true;
  await askAndBeAnswered(call, 'voice');
  await call.say(1400, 0);
  await call.say(700, 'voice');
  expect(countOf(call, 'interrupted')).toBe(0);
  await call.say(500, 'voice');
  await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(1));
});

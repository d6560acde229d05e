import { startDeepgramServer } from '@callfleet/testkit';
import { expect, test, vi } from 'vitest';
import { describeAi } from './ai-conformance.ts';
import { oneOf } from './local-ai.ts';

const { ai, connected } = describeAi({ name: 'deepgram', start: startDeepgramServer, without: ['usage', 'words'] });

test.each([
  ['TOO_MANY_REQUESTS', 'CF_PROVIDER_LIMITED'],
  ['FAILED_TO_THINK', 'CF_PROVIDER_FAILED'],
])('an agent that says that it failed has failed: %s', async (reason, code) => {
  const call = await connected();
  ai().last.sendError(reason);
  const { error } = await vi.waitFor(() => oneOf(call, 'failed'));
  expect(error).toMatchObject({ code, message: expect.stringContaining(reason) });
});

test('what it asked to be done and wants no more is told, and its answer not sent', async () => {
  ai().answers.push({ tool: { name: 'weather', arguments: {} } });
  const call = await connected({ tools: [{ name: 'weather', description: 'The weather.' }] });
  await call.say(800, 0.3);
  await call.say(600, 0);
  const { id } = await vi.waitFor(() => oneOf(call, 'tool-call'));
  ai().last.cancelCall(id, 'weather');
  expect(await vi.waitFor(() => oneOf(call, 'tool-call-cancelled'))).toEqual({ type: 'tool-call-cancelled', id });
  call.session.toolResult(id, 'too late');
  await call.say(100, 0);
  expect(JSON.stringify(ai().last.received)).not.toContain('too late');
});

test('is kept alive while the caller sends nothing', async () => {
  const call = await connected();
  call.pass(8000);
  await vi.waitFor(() => expect(ai().last.received.at(-1)).toEqual({ type: 'KeepAlive' }));
});

test('greets the caller first', async () => {
  const call = await connected({ greeting: 'Hello!' });
  await vi.waitFor(() => expect(call.queuedMs).toBe(1000));
  await call.say(1200, 0);
  expect(oneOf(call, 'turn')).toMatchObject({ role: 'bot', text: 'Hello!' });
});

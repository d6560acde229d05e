import { formatNamed, fromPcm, tone } from '@callfleet/media';
import { DeepgramClient } from '@deepgram/sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AiServer } from './ai-server.ts';
import { type DeepgramConnection, startDeepgramServer } from './deepgram-server.ts';

let server: AiServer<DeepgramConnection>;
beforeEach(async () => {
  server = await startDeepgramServer();
});
afterEach(() => server.stop());

const speech = fromPcm(formatNamed('ulaw'), tone({ hz: 500, ms: 800, sampleRate: 8000, level: 0.3 }));
const silence = new Uint8Array(8000).fill(0xff);

/** Deepgram's own client, and all that it was told. */
async function deepgramClient(apiKey: string) {
  const client = new DeepgramClient({ apiKey, baseUrl: `ws://${server.host}` });
  const agent = await client.agent.v1.connect({ Authorization: `Token ${apiKey}`, reconnectAttempts: 0 });
  const told: Array<{ type: string } & Record<string, unknown>> = [];
  let spokenBytes = 0;
  agent.on('message', (message) => {
    const given: unknown = message;
    if (given instanceof Blob) spokenBytes += given.size;
    else told.push(given as (typeof told)[0]);
  });
  agent.connect();
  return { agent, told, types: () => told.map(({ type }) => type), spoken: () => spokenBytes };
}

async function configured() {
  const client = await deepgramClient(server.key);
  await vi.waitFor(() => expect(client.types()).toEqual(['Welcome']));
  client.agent.sendSettings({
    type: 'Settings',
    audio: {
      input: { encoding: 'mulaw', sample_rate: 8000 },
      output: { encoding: 'mulaw', sample_rate: 8000, container: 'none' },
    },
    agent: { think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' } } },
  });
  await vi.waitFor(() => expect(client.types()).toContain('SettingsApplied'));
  return client;
}

test("Deepgram's own client holds a conversation with it", async () => {
  const { agent, types, spoken } = await configured();
  agent.sendMedia(speech);
  agent.sendMedia(silence);
  await vi.waitFor(() => expect(types()).toContain('AgentAudioDone'));
  expect(types()).toEqual([
    'Welcome',
    'SettingsApplied',
    'UserStartedSpeaking',
    'ConversationText',
    'AgentThinking',
    'ConversationText',
    'AgentStartedSpeaking',
    'AgentAudioDone',
  ]);
  expect(spoken()).toBe(8000);
  agent.close();
});

test("Deepgram's own client is asked for a function", async () => {
  const { agent, told, types } = await configured();
  server.answers.push({ tool: { name: 'weather', arguments: { city: 'Bonn' } } });
  agent.sendInjectUserMessage({ type: 'InjectUserMessage', content: 'How is the weather?' });
  await vi.waitFor(() => expect(types()).toContain('FunctionCallRequest'));
  expect(told.find(({ type }) => type === 'FunctionCallRequest')?.functions).toMatchObject([
    { name: 'weather', arguments: '{"city":"Bonn"}', client_side: true },
  ]);
  agent.sendFunctionCallResponse({ type: 'FunctionCallResponse', id: 'call-1', name: 'weather', content: 'rain' });
  await vi.waitFor(() => expect(types()).toContain('AgentAudioDone'));
  agent.close();
});

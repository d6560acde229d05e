import { formatNamed, fromPcm, tone } from '@callfleet/media';
import {
  AudioInterface,
  ClientTools,
  Conversation,
} from '@elevenlabs/elevenlabs-js/api/resources/conversationalAi/conversation/index.js';
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js/Client.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AiServer } from './ai-server.ts';
import { type ElevenLabsConnection, startElevenLabsServer } from './elevenlabs-server.ts';

let server: AiServer<ElevenLabsConnection>;
beforeEach(async () => {
  server = await startElevenLabsServer();
});
afterEach(() => server.stop());

const speech = Buffer.from(fromPcm(formatNamed('ulaw'), tone({ hz: 500, ms: 800, sampleRate: 8000, level: 0.3 })));
const silence = Buffer.alloc(4000, 0xff);

class Telephone extends AudioInterface {
  say: (audio: Buffer) => void = () => {};
  heardBytes = 0;
  interruptions = 0;
  start(input: (audio: Buffer) => void): void {
    this.say = input;
  }
  stop(): void {}
  output(audio: Buffer): void {
    this.heardBytes += audio.length;
  }
  interrupt(): void {
    this.interruptions += 1;
  }
}

test("ElevenLabs' own client holds a conversation with it, is interrupted, and calls a tool", async () => {
  const telephone = new Telephone();
  const said: string[] = [];
  const types: string[] = [];
  const asked: unknown[] = [];
  const clientTools = new ClientTools();
  clientTools.register('weather', async (given) => {
    asked.push(given);
    return 'rain';
  });
  const conversation = new Conversation({
    agentId: 'agent_local',
    requiresAuth: true,
    client: new ElevenLabsClient({ apiKey: server.key, baseUrl: `http://${server.host}` }),
    audioInterface: telephone,
    clientTools,
    callbackAgentResponse: (text) => said.push(`agent: ${text}`),
    callbackUserTranscript: (text) => said.push(`user: ${text}`),
    callbackMessageReceived: (message: { type: string }) => types.push(message.type),
  });
  await conversation.startSession();
  await vi.waitFor(() => expect(types).toEqual(['conversation_initiation_metadata']));
  telephone.say(Buffer.concat([speech, silence]));
  await vi.waitFor(() => expect(telephone.heardBytes).toBe(8000));
  expect(said).toEqual(['user: This is the caller.', 'agent: I have heard you.']);
  server.faults.latePieces = 2;
  telephone.say(speech);
  await vi.waitFor(() => expect(telephone.interruptions).toBe(1));
  server.answers.push({ tool: { name: 'weather', arguments: { city: 'Bonn' } } });
  telephone.say(silence);
  await vi.waitFor(() => expect(asked).toMatchObject([{ city: 'Bonn' }]));
  await vi.waitFor(() => expect(server.last.received.at(-1)).toMatchObject({ result: 'rain', is_error: false }));
  server.last.ping();
  await vi.waitFor(() => expect(server.last.received.at(-1)).toMatchObject({ type: 'pong' }));
  // What came late was dropped by its number.
  await vi.waitFor(() => expect(telephone.heardBytes).toBe(16_000));
  conversation.endSession();
});

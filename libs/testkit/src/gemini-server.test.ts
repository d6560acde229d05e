import { formatNamed, fromPcm, tone } from '@callfleet/media';
import { GoogleGenAI, type LiveServerMessage, Modality } from '@google/genai';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AiServer } from './ai-server.ts';
import { type GeminiConnection, startGeminiServer } from './gemini-server.ts';

let server: AiServer<GeminiConnection>;
beforeEach(async () => {
  server = await startGeminiServer();
});
afterEach(() => server.stop());

const speech = fromPcm(formatNamed('slin16'), tone({ hz: 500, ms: 800, sampleRate: 16_000, level: 0.3 }));

function audioOf(bytes: Uint8Array) {
  return { audio: { data: Buffer.from(bytes).toString('base64'), mimeType: 'audio/pcm;rate=16000' } };
}

test("Google's own client holds a conversation with it, calls a function, and is told how to go on later", async () => {
  const told: LiveServerMessage[] = [];
  const client = new GoogleGenAI({
    apiKey: server.key,
    httpOptions: { baseUrl: `http://${server.host}`, apiVersion: 'v1beta' },
  });
  const session = await client.live.connect({
    model: 'gemini-live-2.5-flash-preview',
    config: {
      responseModalities: [Modality.AUDIO],
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      sessionResumption: { handle: 'from-before' },
    },
    callbacks: { onmessage: (message) => told.push(message) },
  });
  expect(server.last.resumedWith).toBe('from-before');
  session.sendRealtimeInput(audioOf(speech));
  session.sendRealtimeInput(audioOf(new Uint8Array(16_000)));
  await vi.waitFor(() => expect(told.at(-1)?.serverContent?.generationComplete).toBe(true));
  session.sendRealtimeInput(audioOf(new Uint8Array(32_000)));
  await vi.waitFor(() => expect(told.at(-1)?.sessionResumptionUpdate?.resumable).toBe(true));
  const said = told.map(({ serverContent: content }) => content?.inputTranscription?.text ?? '').join('');
  expect(said).toBe('This is the caller.');
  const spoken = told.flatMap(({ serverContent: content }) => content?.modelTurn?.parts ?? []);
  const bytes = spoken.reduce((sum, part) => sum + Buffer.from(part.inlineData?.data ?? '', 'base64').length, 0);
  expect(bytes).toBe(48_000);
  expect(told.find(({ usageMetadata }) => usageMetadata)?.serverContent?.turnComplete).toBe(true);

  server.answers.push({ tool: { name: 'weather', arguments: { city: 'Bonn' } } });
  session.sendClientContent({ turns: 'How is the weather?' });
  const call = await vi.waitFor(() => {
    const [first] = told.at(-1)?.toolCall?.functionCalls ?? [];
    if (!first) throw new Error('not asked yet');
    return first;
  });
  expect(call).toMatchObject({ name: 'weather', args: { city: 'Bonn' } });
  session.sendToolResponse({
    functionResponses: [{ id: call.id ?? '', name: 'weather', response: { result: 'rain' } }],
  });
  await vi.waitFor(() => expect(told.at(-1)?.serverContent?.generationComplete).toBe(true));
  server.last.goAway('5s');
  await vi.waitFor(() => expect(told.at(-1)?.goAway?.timeLeft).toBe('5s'));
  session.close();
});

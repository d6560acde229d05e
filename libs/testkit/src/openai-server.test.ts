import { connect } from 'node:net';
import { formatNamed, fromPcm, tone } from '@callfleet/media';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AiServer } from './ai-server.ts';
import { type OpenAiConnection, startOpenAiServer } from './openai-server.ts';

let server: AiServer<OpenAiConnection>;
beforeEach(async () => {
  server = await startOpenAiServer();
});
afterEach(() => server.stop());

const ulaw = formatNamed('ulaw');
const speech = Buffer.from(fromPcm(ulaw, tone({ hz: 500, ms: 800, sampleRate: 8000, level: 0.3 }))).toString('base64');
const silence = Buffer.alloc(8000, 0xff).toString('base64');

/** It always speaks TLS, which is of no interest here. */
const unencrypted = () => ({
  createConnection: () => connect({ host: '127.0.0.1', port: Number(server.host.split(':')[1]) }),
});

/** OpenAI's own client, and all that it was told. */
async function openAiClient() {
  const client = new OpenAI({ apiKey: server.key, baseURL: `http://${server.host}/v1` });
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: unencrypted() }, client);
  const types: string[] = [];
  const errors: string[] = [];
  let spokenMs = 0;
  realtime.on('event', ({ type }) => types.push(type));
  realtime.on('error', (error) => errors.push(error.error?.code ?? error.message));
  realtime.on('response.output_audio.delta', ({ delta }) => {
    spokenMs += Buffer.from(delta, 'base64').length / 8;
  });
  await vi.waitFor(() => expect(types).toContain('session.created'));
  realtime.send({
    type: 'session.update',
    session: {
      type: 'realtime',
      output_modalities: ['audio'],
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          transcription: { model: 'gpt-4o-mini-transcribe' },
          turn_detection: { type: 'server_vad', silence_duration_ms: 400 },
        },
        output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
      },
    },
  });
  await vi.waitFor(() => expect(types).toContain('session.updated'));
  return { realtime, types, errors, spoken: () => spokenMs };
}

test("OpenAI's own client holds a conversation with it", async () => {
  const { realtime, types, errors, spoken } = await openAiClient();
  realtime.send({ type: 'input_audio_buffer.append', audio: speech });
  realtime.send({ type: 'input_audio_buffer.append', audio: silence });
  await vi.waitFor(() => expect(types).toContain('conversation.item.input_audio_transcription.completed'));
  expect(types.filter((type, i) => type !== types[i - 1])).toEqual([
    'session.created',
    'session.updated',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_audio_transcript.delta',
    'response.output_audio.delta',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'response.output_item.done',
    'conversation.item.done',
    'response.done',
    'conversation.item.input_audio_transcription.delta',
    'conversation.item.input_audio_transcription.completed',
  ]);
  expect(spoken()).toBe(1000);
  expect(errors).toEqual([]);
  realtime.close();
});

test("OpenAI's own client is asked for a function, and told what it does wrong", async () => {
  const { realtime, types, errors } = await openAiClient();
  server.answers.push({ tool: { name: 'weather', arguments: { city: 'Bonn' } } }, { unfinished: true });
  const asked = new Promise<{ call_id: string; name: string; arguments: string }>((resolve) =>
    realtime.once('response.function_call_arguments.done', resolve),
  );
  realtime.send({ type: 'response.create' });
  const { call_id, name, arguments: json } = await asked;
  expect({ name, json }).toEqual({ name: 'weather', json: '{"city":"Bonn"}' });
  realtime.send({ type: 'response.cancel' });
  realtime.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id, output: 'rain' } });
  realtime.send({ type: 'response.create' });
  realtime.send({ type: 'response.create' });
  realtime.send({ type: 'input_audio_buffer.commit' });
  realtime.send({ type: 'conversation.item.truncate', item_id: 'item_x', content_index: 0, audio_end_ms: 5 });
  await vi.waitFor(() =>
    expect(errors).toEqual([
      'response_cancel_not_active',
      'conversation_already_has_active_response',
      'input_audio_buffer_commit_empty',
      'item_truncate_invalid_item_id',
    ]),
  );
  realtime.send({ type: 'response.cancel' });
  await vi.waitFor(() => expect(types.filter((type) => type === 'response.done')).toHaveLength(2));
  realtime.close();
});

test('a client without the key is refused', async () => {
  const client = new OpenAI({ apiKey: 'another', baseURL: `http://${server.host}/v1` });
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: unencrypted() }, client);
  const refused = new Promise<Error>((resolve) => realtime.on('error', resolve));
  expect((await refused).message).toContain('401');
});

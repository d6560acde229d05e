import { type AudioFormat, formatNamed } from '@callfleet/media';
import { z } from 'zod';
import { eventReader } from './ai-events.ts';

/** How OpenAI Realtime names a way to write audio. */
const audioFormat = z.object({ type: z.string(), rate: z.number().optional() });
export type OpenAiFormat = z.output<typeof audioFormat>;

const usage = z.record(z.string(), z.unknown()).nullish();
const failure = z.object({
  type: z.string().nullish(),
  code: z.string().nullish(),
  message: z.string().nullish(),
  /** Of what we sent, where we gave it one. */
  event_id: z.string().nullish(),
});
export type OpenAiFailure = z.output<typeof failure>;
const response = z.object({
  id: z.string(),
  status: z.string(),
  status_details: z.object({ error: failure.nullish() }).nullish(),
  usage,
});
export type OpenAiResponse = z.output<typeof response>;
const delta = { response_id: z.string(), item_id: z.string(), delta: z.string() };

/** What OpenAI Realtime says, as far as it matters here. */
export const readOpenAiEvent = eventReader('openai', 'type', {
  'session.updated': {
    session: z.object({
      audio: z
        .object({
          input: z.object({ format: audioFormat.optional() }).optional(),
          output: z.object({ format: audioFormat.optional() }).optional(),
        })
        .optional(),
    }),
  },
  'input_audio_buffer.speech_started': { audio_start_ms: z.number(), item_id: z.string() },
  'input_audio_buffer.speech_stopped': { audio_end_ms: z.number(), item_id: z.string() },
  'conversation.item.input_audio_transcription.completed': { item_id: z.string(), transcript: z.string(), usage },
  'conversation.item.input_audio_transcription.failed': { item_id: z.string() },
  'response.created': { response: z.object({ id: z.string() }) },
  'response.output_audio.delta': delta,
  'response.output_audio_transcript.delta': delta,
  'response.function_call_arguments.done': { call_id: z.string(), name: z.string(), arguments: z.string() },
  'response.done': { response },
  error: { error: failure },
});

/** The one that comes nearest to a leg's: G.711 is passed through, all else is made 24 kHz. */
export function openAiFormatFor(leg: AudioFormat): OpenAiFormat {
  if (leg.encoding === 'ulaw') return { type: 'audio/pcmu' };
  if (leg.encoding === 'alaw') return { type: 'audio/pcma' };
  return { type: 'audio/pcm', rate: 24_000 };
}

/** Undefined: one that nobody here can read. */
export function formatOfOpenAi({ type, rate = 24_000 }: OpenAiFormat): AudioFormat | undefined {
  if (type === 'audio/pcmu') return formatNamed('ulaw');
  if (type === 'audio/pcma') return formatNamed('alaw');
  return type === 'audio/pcm' && rate === 24_000 ? formatNamed('slin24') : undefined;
}

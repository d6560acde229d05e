import { z } from 'zod';
import { aiOptions } from './ai-options.ts';
import type { OpenAiFormat } from './openai-events.ts';
import { voiceTools } from './voice-tools.ts';

const serverVad = z.strictObject({
  type: z.literal('server_vad'),
  /** 0..1: higher needs louder speech. */
  threshold: z.number().min(0).max(1).default(0.5),
  /** What the AI is given of the time before speech was noticed, milliseconds. */
  prefixPaddingMs: z.int().min(0).max(2000).default(300),
  /** So much silence ends what the caller says, milliseconds. */
  silenceMs: z.int().min(100).max(5000).default(500),
  /** After so much silence of both the AI speaks again, milliseconds. */
  idleTimeoutMs: z.int().min(5000).max(30_000).optional(),
});
const semanticVad = z.strictObject({
  type: z.literal('semantic_vad'),
  /** How soon it takes what was said for all of it. */
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).default('auto'),
});

export const openAiOptions = {
  ...aiOptions('OPENAI_API_KEY', 'wss://api.openai.com/v1/realtime'),
  model: z.string().min(1).default('gpt-realtime'),
  voice: z.string().min(1).default('marin'),
  /** Of the voice; 1 is its own. */
  speed: z.number().min(0.25).max(1.5).default(1),
  tools: voiceTools,
  /** The model that writes down what the caller says. `null`: none does, and no turn of the caller is told. */
  transcription: z.string().min(1).nullable().default('gpt-4o-mini-transcribe'),
  turnDetection: z
    .discriminatedUnion('type', [serverVad, semanticVad])
    .default(serverVad.parse({ type: 'server_vad' })),
};

export type OpenAiOptions = z.output<z.ZodObject<typeof openAiOptions>>;

/** The session as OpenAI is asked for it, with this format both ways. */
export function sessionOf(options: OpenAiOptions, format: OpenAiFormat): Readonly<Record<string, unknown>> {
  const { model, instructions, tools, transcription, voice, speed } = options;
  const input = {
    format,
    transcription: transcription === null ? null : { model: transcription },
    turn_detection: turnDetectionOf(options),
  };
  return {
    type: 'realtime',
    model,
    instructions,
    output_modalities: ['audio'],
    audio: { input, output: { format, voice, speed } },
    tools: tools.map((tool) => ({ type: 'function', ...tool })),
    tool_choice: 'auto',
  };
}

function turnDetectionOf({ turnDetection, bargeIn }: OpenAiOptions): Record<string, unknown> {
  const common = { type: turnDetection.type, create_response: true, interrupt_response: bargeIn.enabled };
  if (turnDetection.type === 'semantic_vad') return { ...common, eagerness: turnDetection.eagerness };
  const { threshold, prefixPaddingMs, silenceMs, idleTimeoutMs } = turnDetection;
  return {
    ...common,
    threshold,
    prefix_padding_ms: prefixPaddingMs,
    silence_duration_ms: silenceMs,
    ...(idleTimeoutMs !== undefined && { idle_timeout_ms: idleTimeoutMs }),
  };
}

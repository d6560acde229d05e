import { z } from 'zod';
import { VoiceProviderError } from './errors.ts';

const transcription = z.object({ text: z.string().optional() });

const content = z.object({
  modelTurn: z
    .object({
      parts: z
        .array(z.object({ inlineData: z.object({ data: z.string(), mimeType: z.string().default('') }).optional() }))
        .default([]),
    })
    .optional(),
  turnComplete: z.boolean().optional(),
  generationComplete: z.boolean().optional(),
  interrupted: z.boolean().optional(),
  inputTranscription: transcription.optional(),
  /** Of newer models: what the caller may be saying, until that comes as `inputTranscription`. */
  interimInputTranscription: transcription.optional(),
  outputTranscription: transcription.optional(),
});
export type GeminiContent = z.output<typeof content>;

const functionCall = z.object({
  id: z.string(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()).default({}),
});

const message = z.object({
  setupComplete: z.object({}).optional(),
  serverContent: content.optional(),
  toolCall: z.object({ functionCalls: z.array(functionCall).default([]) }).optional(),
  toolCallCancellation: z.object({ ids: z.array(z.string()).default([]) }).optional(),
  usageMetadata: z.record(z.string(), z.unknown()).optional(),
  goAway: z.object({ timeLeft: z.string().default('') }).optional(),
  sessionResumptionUpdate: z
    .object({ newHandle: z.string().optional(), resumable: z.boolean().default(false) })
    .optional(),
});

/** What Gemini Live says, as far as it matters here. @throws VoiceProviderError CF_PROVIDER_PROTOCOL */
export function readGeminiMessage(given: unknown): z.output<typeof message> {
  const read = message.safeParse(given);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new VoiceProviderError('CF_PROVIDER_PROTOCOL', 'gemini', `gemini sent a message with ${wrong}`);
}

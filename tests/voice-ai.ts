import { type AiServer, type OpenAiConnection, startOpenAiServer } from '@callfleet/testkit';
import { vi } from 'vitest';

export type VoiceAi = AiServer<OpenAiConnection>;

/** A voice AI on this machine, for the programs of fleets that are started after it; the test takes the environment back. */
export async function startVoiceAi(): Promise<VoiceAi> {
  const ai = await startOpenAiServer();
  vi.stubEnv('OPENAI_API_KEY', ai.key);
  vi.stubEnv('LOCAL_AI_URL', ai.url);
  return ai;
}

import { z } from 'zod';
import { type AiAddress, codeOfStatus } from './ai-socket.ts';
import { aiUrl } from './ai-url.ts';
import { VoiceProviderError } from './errors.ts';

/** Asks for an address that is good for one conversation: the WebSocket itself takes no key. */
export async function signedAddress(
  parsed: { readonly url: string; readonly agent: string },
  key: string | undefined,
  signal: AbortSignal,
): Promise<AiAddress> {
  const url = new URL(parsed.url);
  const ask = new URL(`${url.pathname}/get-signed-url`, url);
  ask.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  ask.searchParams.set('agent_id', parsed.agent);
  const failure = (code: VoiceProviderError['code'], what: string, cause?: unknown) =>
    new VoiceProviderError(code, 'elevenlabs', `elevenlabs at ${url.host} ${what}`, { cause });
  const response = await fetch(ask, { headers: { 'xi-api-key': key ?? '' }, redirect: 'error', signal }).catch(
    (cause) => {
      throw failure('CF_PROVIDER_LOST', "can't be reached", cause);
    },
  );
  if (!response.ok)
    throw failure(codeOfStatus(response.status), `refused the agent with HTTP status ${response.status}`);
  const answer = z.object({ signed_url: aiUrl }).safeParse(await response.json().catch(() => undefined));
  if (!answer.success) throw failure('CF_PROVIDER_PROTOCOL', 'gave no address for the conversation');
  return { url: new URL(answer.data.signed_url), protocol: 'convai' };
}

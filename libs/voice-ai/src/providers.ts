import { deepgram } from './deepgram.ts';
import { echo } from './echo.ts';
import { elevenlabs } from './elevenlabs.ts';
import { VoiceProviderError } from './errors.ts';
import { gemini } from './gemini.ts';
import { local } from './local.ts';
import { openai } from './openai.ts';
import { parrot } from './parrot.ts';
import type { VoiceProvider } from './provider.ts';
import { twilio } from './twilio.ts';

const makers: Readonly<Record<string, (options: unknown) => VoiceProvider>> = {
  echo,
  parrot,
  local,
  openai,
  deepgram,
  elevenlabs,
  twilio,
  gemini,
};

export const providerNames: readonly string[] = Object.keys(makers);

/** The provider of this name with these options. @throws VoiceProviderError CF_PROVIDER_UNKNOWN, CF_PROVIDER_OPTIONS */
export function providerNamed(name: string, options: unknown): VoiceProvider {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make) return make(options);
  throw new VoiceProviderError(
    'CF_PROVIDER_UNKNOWN',
    name,
    `there is no voice AI provider "${name}" (accepted: ${providerNames.join(', ')})`,
  );
}

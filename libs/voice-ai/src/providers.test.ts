import { expect, test } from 'vitest';
import { describeProvider } from './provider-conformance.ts';
import { providerNamed } from './providers.ts';

describeProvider('echo', { options: {} });
describeProvider('parrot', { options: { silenceMs: 500 } });

test('an unknown provider is refused with the names there are', () => {
  for (const name of ['sherpa', '', 'toString'])
    expect(() => providerNamed(name, {})).toThrow(expect.objectContaining({ code: 'CF_PROVIDER_UNKNOWN' }));
  expect(() => providerNamed('sherpa', {})).toThrow(
    '"sherpa" (accepted: echo, parrot, local, openai, deepgram, elevenlabs, twilio, gemini)',
  );
});

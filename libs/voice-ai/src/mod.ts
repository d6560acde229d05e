/** Voice AI providers: one interface, an adapter for each. */
export { VoiceProviderError } from './errors.ts';
export type { Playout, VoiceContext, VoiceEvent, VoiceProvider, VoiceSession } from './provider.ts';
export { providerNamed, providerNames } from './providers.ts';

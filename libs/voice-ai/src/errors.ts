/** Something is wrong with a voice AI provider. */
export class VoiceProviderError extends Error {
  override readonly name = 'VoiceProviderError';
  readonly code: /** No provider has this name. */
    | 'CF_PROVIDER_UNKNOWN'
    /** The provider does not take these options. */
    | 'CF_PROVIDER_OPTIONS'
    /** A program that the provider needs is not on the relay's machine. */
    | 'CF_PROVIDER_MISSING'
    /** The relay has no key for the AI where it was told to look. */
    | 'CF_PROVIDER_KEY'
    /** The AI does not want this relay: a wrong key, an unknown model, no such address. */
    | 'CF_PROVIDER_REFUSED'
    /** The AI has too much to do, or the account's limit is reached. */
    | 'CF_PROVIDER_LIMITED'
    /** As many conversations go on with its key as may: the AI was not asked. */
    | 'CF_PROVIDER_FULL'
    /** The AI did not answer in time. */
    | 'CF_PROVIDER_TIMEOUT'
    /** The AI was not there, or went away during the call. */
    | 'CF_PROVIDER_LOST'
    /** The AI said something that its protocol does not have. */
    | 'CF_PROVIDER_PROTOCOL'
    /** The AI said that it failed. */
    | 'CF_PROVIDER_FAILED';
  readonly provider: string;

  constructor(code: VoiceProviderError['code'], provider: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.provider = provider;
  }
}

/** Something is wrong with a voice AI provider. */
export class VoiceProviderError extends Error {
  override readonly name = 'VoiceProviderError';
  readonly code: /** No provider has this name. */
    | 'CF_PROVIDER_UNKNOWN'
    /** The provider does not take these options. */
    | 'CF_PROVIDER_OPTIONS'
    /** The AI refused, went away or broke its protocol. */
    | 'CF_PROVIDER_FAILED';
  readonly provider: string;

  constructor(code: VoiceProviderError['code'], provider: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.provider = provider;
  }
}

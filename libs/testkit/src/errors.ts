/** A real part can't be had or started here: `code` is what to search for, `message` says what to do. */
export class PartsError extends Error {
  override readonly name = 'PartsError';
  readonly code: 'CF_PARTS_UNAVAILABLE' | 'CF_PARTS_INSTALL' | 'CF_PORTS_EXHAUSTED';

  constructor(code: PartsError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Something about Redis that its user must mend. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly code: 'CF_REDIS_UNREACHABLE' | 'CF_REDIS_UNAUTHORIZED' | 'CF_REDIS_TLS';

  constructor(code: RedisError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

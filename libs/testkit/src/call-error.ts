/** A call did not go as it should. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code:
    | 'CF_CALL_REFUSED'
    | 'CF_CALL_NOT_ANSWERED'
    | 'CF_CALL_NOT_REFERRED'
    | 'CF_CALLER_FAILED'
    | 'CF_PHONE_NOT_CALLED'
    | 'CF_TONE_NOT_HEARD';
  /** Of a refused call: the SIP response. */
  readonly status?: number;

  constructor(code: CallError['code'], message: string, options?: ErrorOptions & { status?: number }) {
    super(message, options);
    this.code = code;
    if (options?.status !== undefined) this.status = options.status;
  }
}

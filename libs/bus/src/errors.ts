/** Something about NATS that its user must mend: `code` is what to search for, `message` says what to do. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code:
    | 'CF_NATS_UNREACHABLE'
    | 'CF_NATS_UNAUTHORIZED'
    | 'CF_NATS_CREDENTIALS'
    | 'CF_NATS_FORBIDDEN'
    | 'CF_NATS_NO_JETSTREAM'
    | 'CF_NATS_NO_STREAMS'
    | 'CF_BUS_NO_RESPONDER'
    | 'CF_BUS_TIMEOUT'
    | 'CF_BUS_BAD_MESSAGE'
    | 'CF_BUS_REFUSED'
    | 'CF_SPILL_FOLDER'
    | 'CF_JOURNAL_MOVED'
    | 'CF_JOURNAL_CLOSED';

  constructor(code: BusError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

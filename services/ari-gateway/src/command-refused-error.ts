/** A command that was not sent to its PBX, to spare it: asking again may succeed. */
export class CommandRefusedError extends Error {
  override readonly name = 'CommandRefusedError';
  readonly code: 'CF_PBX_BUSY' | 'CF_BREAKER_OPEN';

  constructor(code: CommandRefusedError['code'], why: string) {
    super(why);
    this.code = code;
  }
}

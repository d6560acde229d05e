import type { CommandRefusal } from '@callfleet/bus';

/** A command that was certainly not sent to its PBX. */
export class CommandRefusedError extends Error {
  override readonly name = 'CommandRefusedError';
  readonly code: Exclude<CommandRefusal, 'CF_PBX_NO_ANSWER' | 'CF_PBX_CONNECTION_LOST'>;

  constructor(code: CommandRefusedError['code'], why: string) {
    super(why);
    this.code = code;
  }
}

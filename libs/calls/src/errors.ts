/** What an operation of a call program can fail with. `code` tells them apart. */
export abstract class CallError extends Error {
  abstract readonly code: string;
}

/** The call is over: the caller hung up, or it was given back to the dialplan. Usually a program just lets it pass. */
export class CallEndedError extends CallError {
  override readonly name = 'CallEndedError';
  readonly code = 'CF_CALL_ENDED';
  constructor() {
    super('the call has ended');
  }
}

/** The PBX answered an operation with an error. */
export class PbxRefusedError extends CallError {
  override readonly name = 'PbxRefusedError';
  readonly code = 'CF_PBX_REFUSED';
  /** HTTP status of Asterisk's answer. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }

  static of(operation: string, status: number, reason: string): PbxRefusedError {
    return new PbxRefusedError(`${operation}: the PBX refused (${status} ${reason})`, status);
  }
}

/** Nobody can say whether the PBX carried the operation out: no answer in time, or no gateway holds its socket. */
export class PbxUnreachableError extends CallError {
  override readonly name = 'PbxUnreachableError';
  readonly code = 'CF_PBX_UNREACHABLE';

  static of(operation: string, why: string, options?: ErrorOptions): PbxUnreachableError {
    return new PbxUnreachableError(`${operation}: the PBX is out of reach (${why})`, options);
  }
}

/** Too many requests to this PBX failed: for a moment nothing is sent to it, so that it can recover. This was not sent either. */
export class BreakerOpenError extends CallError {
  override readonly name = 'BreakerOpenError';
  readonly code = 'CF_BREAKER_OPEN';

  static of(operation: string, why: string): BreakerOpenError {
    return new BreakerOpenError(`${operation}: not sent to the PBX (${why})`);
  }
}

/** As many operations wait for this PBX as may, or this one waited for too long. It was not sent: it may be tried again. */
export class PbxBusyError extends CallError {
  override readonly name = 'PbxBusyError';
  readonly code = 'CF_PBX_BUSY';

  static of(operation: string, why: string): PbxBusyError {
    return new PbxBusyError(`${operation}: not sent to the PBX (${why})`);
  }
}

/** Whoever had the call placed has cancelled it. No program is told this: its call is over. */
export class CallCancelledError extends CallError {
  override readonly name = 'CallCancelledError';
  readonly code = 'CF_CALL_CANCELLED';
}

/** The trunk does not take the channel that would be dialled. No program is told this: it is an outcome of `dial`. */
export class TrunkRefusedError extends CallError {
  override readonly name = 'TrunkRefusedError';
  readonly code: TrunkRefusal;
  constructor(code: TrunkRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

/** As many calls as may are on the trunk; were dialled through it this second; or they can not be counted, since Redis is away. */
export type TrunkRefusal = 'CF_TRUNK_FULL' | 'CF_TRUNK_TOO_FAST' | 'CF_TRUNK_NOT_COUNTED';

/** The operation took longer than its `timeoutMs`. What it had begun is taken back. */
export class TimedOutError extends CallError {
  override readonly name = 'TimedOutError';
  readonly code = 'CF_TIMED_OUT';

  static of(operation: string, milliseconds: number): TimedOutError {
    return new TimedOutError(`${operation}: not done within ${milliseconds} ms`);
  }
}

/** The leg is over: whoever it was has hung up. The call goes on. */
export class LegEndedError extends CallError {
  override readonly name = 'LegEndedError';
  readonly code = 'CF_LEG_ENDED';
  constructor(message = 'the leg has ended') {
    super(message);
  }
}

/** Another worker has this call: this one's part is over. A program can't do anything about it. */
export class CallTakenOverError extends CallError {
  override readonly name = 'CallTakenOverError';
  readonly code = 'CF_CALL_TAKEN_OVER';
  readonly why: string;
  constructor(why: string) {
    super(`this worker does not have the call any more (${why})`);
    this.why = why;
  }
}

/** What a `step` threw. The same after a takeover, when only its words are left. */
export class StepFailedError extends CallError {
  override readonly name = 'StepFailedError';
  readonly code = 'CF_STEP_FAILED';
}

/** The program asked for something else than its journal has: it was changed, or depends on more than it was told. */
export class ProgramDivergedError extends CallError {
  override readonly name = 'ProgramDivergedError';
  readonly code = 'CF_PROGRAM_DIVERGED';
  constructor(operation: number, journaled: string, asked: string | undefined) {
    super(
      `operation ${operation} is "${journaled}" in the journal, but the program ${asked === undefined ? 'did not ask for it' : `asked for "${asked}"`}: ` +
        'was it changed under a live call, or does it depend on the time, on chance or on the outside world without step()?',
    );
  }
}

/** The program went on for longer than it may. Its part is over. */
export class ProgramTimedOutError extends CallError {
  override readonly name = 'ProgramTimedOutError';
  readonly code = 'CF_PROGRAM_TIMED_OUT';
}

/** The program held its thread up, twice, and the second time it was alone there. No program is told this: it stands in the call's record. */
export class ProgramStuckError extends CallError {
  override readonly name = 'ProgramStuckError';
  readonly code = 'CF_PROGRAM_STUCK';
}

/** What was asked for would keep what the caller says, while the call is private. */
export class CallPrivateError extends CallError {
  override readonly name = 'CallPrivateError';
  readonly code = 'CF_CALL_PRIVATE';
}

export class PlaybackFailedError extends CallError {
  override readonly name = 'PlaybackFailedError';
  readonly code = 'CF_PLAYBACK_FAILED';

  static of(media: string): PlaybackFailedError {
    return new PlaybackFailedError(`the PBX can't play ${media}: is the sound installed there?`);
  }
}

/** No conversation: no relay has room, the relay refused, or the media leg was not there in time. */
export class MediaUnavailableError extends CallError {
  override readonly name = 'MediaUnavailableError';
  readonly code = 'CF_MEDIA_UNAVAILABLE';

  static of(why: string, options?: ErrorOptions): MediaUnavailableError {
    return new MediaUnavailableError(`no conversation: ${why}`, options);
  }
}

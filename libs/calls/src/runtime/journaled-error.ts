import {
  BreakerOpenError,
  CallCancelledError,
  CallEndedError,
  CallError,
  CallTakenOverError,
  LegEndedError,
  MediaUnavailableError,
  PbxBusyError,
  PbxRefusedError,
  PbxUnreachableError,
  PlaybackFailedError,
  StepFailedError,
  TimedOutError,
  TrunkRefusedError,
} from '../errors.ts';
import type { JournaledError } from './journal.ts';

/** What is kept of an error; also how it crosses from one thread to another. */
export function journaledError(error: unknown): JournaledError {
  if (error instanceof PbxRefusedError) return { code: error.code, message: error.message, status: error.status };
  if (error instanceof CallTakenOverError) return { code: error.code, message: error.why };
  if (error instanceof CallError) return { code: error.code, message: error.message };
  return { code: 'CF_STEP_FAILED', message: error instanceof Error ? error.message : String(error) };
}

/** The error that a program is told: made from what is kept, also the first time, so that a replay tells the same. */
export function revivedError({ code, message, status }: JournaledError): CallError {
  switch (code) {
    case 'CF_CALL_ENDED':
      return new CallEndedError();
    case 'CF_CALL_CANCELLED':
      return new CallCancelledError(message);
    case 'CF_CALL_TAKEN_OVER':
      return new CallTakenOverError(message);
    case 'CF_PBX_REFUSED':
      return new PbxRefusedError(message, status ?? 0);
    case 'CF_PBX_UNREACHABLE':
      return new PbxUnreachableError(message);
    case 'CF_PLAYBACK_FAILED':
      return new PlaybackFailedError(message);
    case 'CF_MEDIA_UNAVAILABLE':
      return new MediaUnavailableError(message);
    case 'CF_BREAKER_OPEN':
      return new BreakerOpenError(message);
    case 'CF_PBX_BUSY':
      return new PbxBusyError(message);
    case 'CF_TRUNK_FULL':
    case 'CF_TRUNK_TOO_FAST':
    case 'CF_TRUNK_NOT_COUNTED':
      return new TrunkRefusedError(code, message);
    case 'CF_TIMED_OUT':
      return new TimedOutError(message);
    case 'CF_LEG_ENDED':
      return new LegEndedError(message);
    default:
      return new StepFailedError(message);
  }
}

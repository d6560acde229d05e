/** The SDK of call programs: what bot developers write against. docs/call-programs.md teaches it. */
export type {
  Call,
  CallContext,
  Conversation,
  DialplanTarget,
  Digit,
  Gathered,
  GatherOptions,
  HangupReason,
  Media,
  MediaEnd,
  PlayOptions,
  SendDtmfOptions,
} from './call.ts';
export { type CallProgram, defineCall } from './define-call.ts';
export {
  CallEndedError,
  CallError,
  CallTakenOverError,
  MediaUnavailableError,
  PbxRefusedError,
  PbxUnreachableError,
  PlaybackFailedError,
  ProgramDivergedError,
  ProgramStuckError,
  StepFailedError,
} from './errors.ts';

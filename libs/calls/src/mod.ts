/** The SDK of call programs: what bot developers write against. docs/call-programs.md teaches it. */
export { z } from 'zod';
export type { Call, CallContext, ConnectOptions, DialplanTarget } from './call.ts';
export type { Conversation, ConversationEvents, MediaEnd } from './conversation.ts';
export { type CallProgram, defineCall } from './define-call.ts';
export type {
  DialAttempt,
  Dialed,
  DialOptions,
  DialOutcome,
  TransferOptions,
  Transferred,
} from './dial.ts';
export {
  BreakerOpenError,
  CallCancelledError,
  CallEndedError,
  CallError,
  CallPrivateError,
  CallTakenOverError,
  LegEndedError,
  MediaUnavailableError,
  PbxBusyError,
  PbxRefusedError,
  PbxUnreachableError,
  PlaybackFailedError,
  ProgramDivergedError,
  ProgramStuckError,
  ProgramTimedOutError,
  StepFailedError,
  TimedOutError,
  type TrunkRefusal,
  TrunkRefusedError,
} from './errors.ts';
export type { Listenable } from './listenable.ts';
export type { Digit, Media } from './media.ts';
export type { OperationOptions } from './operation-options.ts';
export type {
  Gathered,
  GatherOptions,
  HangupReason,
  HoldOptions,
  Joinable,
  Leg,
  LegEnd,
  Party,
  PartyEvents,
  PlayOptions,
  SendDtmfOptions,
  SnoopOptions,
} from './party.ts';
export type { Recording, RecordingEnd, RecordOptions } from './recording.ts';
export type { Room } from './room.ts';
export { type Tool, type Tools, tool } from './tool.ts';

/** The machinery that runs call programs: for the worker and the command line, not for programs. */
export type {
  CallHost,
  Clock,
  KnownMediaSession,
  LegParameters,
  MediaOrder,
  MediaRequest,
  OpenMediaSession,
  PbxAnswer,
} from './call-host.ts';
export { type CallOutcome, CallRuntime } from './call-runtime.ts';
export { type Journal, type JournalEntry, type JournaledError, journalEntrySchema } from './journal.ts';
export { journaledError, revivedError } from './journaled-error.ts';
export { loadCallProgram, ProgramLoadError } from './program-file.ts';
export { resolveSdkForPrograms } from './sdk-resolution.ts';

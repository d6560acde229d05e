/** The machinery that runs call programs: for the worker, not for programs. */
export { isCallProgram } from '../define-call.ts';
export type { CallHost, Clock, KnownMediaSession, LegParameters, OpenMediaSession, PbxAnswer } from './call-host.ts';
export { type CallOutcome, CallRuntime } from './call-runtime.ts';
export { type Journal, type JournalEntry, type JournaledError, journalEntrySchema } from './journal.ts';
export { journaledError, revivedError } from './journaled-error.ts';

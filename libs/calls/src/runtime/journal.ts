import { z } from 'zod';

const number = z.int().positive();

/** How an operation failed, as it is kept: what is needed to make the same error again. */
const error = z.object({
  code: z.string(),
  message: z.string(),
  /** HTTP status of a refusal. */
  status: z.int().optional(),
});

/** One thing that a call program was told, or that its runtime must not forget. */
export const journalEntrySchema = z.discriminatedUnion('kind', [
  /** `read`: so many of the digits or events that wait for the program are read by it. */
  z.object({
    kind: z.literal('result'),
    operation: number,
    name: z.string(),
    value: z.unknown().optional(),
    read: number.optional(),
  }),
  z.object({ kind: z.literal('failure'), operation: number, name: z.string(), error }),
  /** The call is over: every operation that waits and needs the call was told so. */
  z.object({ kind: z.literal('ended') }),
  /** Not told to the program: what an operation under way must find again after a takeover. */
  z.object({ kind: z.literal('note'), operation: number, value: z.unknown() }),
  /** Not told to the program yet: it has taken too long, and what it had begun is being taken back. */
  z.object({ kind: z.literal('timed-out'), operation: number }),
  /** Another worker has the call from here on; `from` had it before, where that is known. */
  z.object({ kind: z.literal('taken'), worker: z.string(), epoch: number, from: z.string().optional() }),
]);

export type JournalEntry = z.infer<typeof journalEntrySchema>;
export type JournaledError = z.infer<typeof error>;

/** The ordered list of all that a call program has been told. */
export interface Journal {
  /** What is in it already, oldest first: from workers that had the call before. */
  readonly before: readonly JournalEntry[];
  /** Resolves when the entry can't be lost any more. @throws CallTakenOverError when another worker has appended */
  append(entry: JournalEntry): Promise<void>;
}

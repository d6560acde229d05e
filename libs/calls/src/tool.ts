import type { z } from 'zod';

/** Something that a voice AI may have the program do. Made by {@link tool}. */
export interface Tool<Schema extends z.ZodType = z.ZodType> {
  /** What it does and when to use it: the AI reads this. */
  readonly description: string;
  /** Its arguments. What does not fit is told to the AI, which may try again; `run` does not see it. */
  readonly schema: Schema;
  /**
   * Does it, in the worker, as a `step`: done once and remembered; again only when the worker dies before it is.
   *
   * @param signal aborted when time is up, when the AI does not want it any more, and at the end of the conversation
   * @returns for the AI: text, or what is to be JSON, at most 64 KiB. What it throws is told to the AI as an error
   */
  run(args: z.output<Schema>, signal: AbortSignal): unknown;
  /** Time limit, milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** What the bot says while it runs ("One moment, please."), when that takes longer than `fillerAfterMs`. */
  readonly filler?: string | undefined;
  /** Milliseconds. Default 700. */
  readonly fillerAfterMs?: number | undefined;
}

/** By name: 1 to 64 letters, digits, `_` and `-`. */
export type Tools = Readonly<Record<string, Tool>>;

/** A tool for `connect`, its arguments typed by its schema. */
export function tool<Schema extends z.ZodType>(definition: Tool<Schema>): Tool {
  return definition as unknown as Tool;
}

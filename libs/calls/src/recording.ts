import type { Digit } from './media.ts';
import type { OperationOptions } from './operation-options.ts';

export interface RecordOptions {
  /** Whose voice: what the party says (`in`), what it hears (`out`), or both mixed. Default `both`. */
  side?: 'in' | 'out' | 'both' | undefined;
  /** The file's format, as the PBX knows it: `wav`, `ulaw`, `gsm`, `ogg`, ... Default `wav`. */
  format?: string | undefined;
  /** Let the party hear a beep before it begins. Default false. */
  beep?: boolean | undefined;
  /** Ends by itself after this, milliseconds, rounded up to a second. Default: no limit. */
  maxDurationMs?: number | undefined;
  /** Ends by itself when nothing was heard for this long, milliseconds, rounded up to a second. Default: never. */
  maxSilenceMs?: number | undefined;
  /** `ended` ends it when the party presses one of these. The digit is kept for the next `gather`. Default none. */
  stopOn?: readonly Digit[] | undefined;
}

export interface RecordingEnd {
  /** `failed`: the PBX could not write the file, or did not say that it has. */
  readonly reason: 'finished' | 'failed';
  /** Of the file, milliseconds, as the PBX tells it: whole seconds. Pauses are not in it. */
  readonly durationMs: number;
}

/** A recording on the PBX. `GET /ari/recordings/stored/<name>/file` has it when it is over. */
export interface Recording {
  readonly name: string;
  readonly format: string;
  /** Nothing is kept until `resume`: for a card number, say. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it, and resolves when the file is whole. Stopping again changes nothing. */
  stop(): Promise<RecordingEnd>;
  /** Waits until it is over: stopped, at one of its limits, or because the party hung up. */
  ended(options?: OperationOptions): Promise<RecordingEnd>;
}

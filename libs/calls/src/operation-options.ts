/** What every operation that waits can be given. */
export interface OperationOptions {
  /**
   * Cancels the operation when it is aborted: it rejects with the signal's reason, and what it had begun on the PBX is taken
   * back. Abort it in answer to something that the program was told (never by `AbortSignal.timeout` or from inside a `step`),
   * so that a replay does the same.
   */
  signal?: AbortSignal | undefined;
  /** Rejects with `TimedOutError` after this, milliseconds. Default: no limit of its own. */
  timeoutMs?: number | undefined;
}

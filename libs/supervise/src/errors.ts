/** What went wrong with a child process. `lastLines` is the end of what it printed, to see why without a log file. */
export class ChildError extends Error {
  override readonly name = 'ChildError';
  readonly code: 'CF_CHILD_NOT_STARTED' | 'CF_CHILD_EXITED' | 'CF_CHILD_NOT_READY';
  /** The child's name as the caller gave it. */
  readonly child: string;
  readonly lastLines: readonly string[];

  constructor(
    code: ChildError['code'],
    child: string,
    problem: string,
    lastLines: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    const output = lastLines.length > 0 ? `; it last printed:\n${lastLines.map((line) => `  ${line}`).join('\n')}` : '';
    super(`${child} ${problem}${output}`, options);
    this.code = code;
    this.child = child;
    this.lastLines = lastLines;
  }
}

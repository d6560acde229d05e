import { ChildError, type ChildOptions, spawnChild } from '@callfleet/supervise';

/**
 * Runs a command to its end, at most `timeoutMs`, and gives its standard output.
 *
 * @throws {ChildError} `CF_CHILD_EXITED` when its exit code is not 0
 */
export async function run(
  command: string,
  args: readonly string[],
  options: Pick<ChildOptions, 'env'> & { timeoutMs: number },
): Promise<string> {
  const lines: string[] = [];
  const timeLimit = AbortSignal.timeout(options.timeoutMs);
  const child = await spawnChild({
    name: [command, ...args].join(' '),
    command,
    args,
    ...(options.env && { env: options.env }),
    signal: timeLimit,
    onLine: (stream, line) => {
      if (stream === 'stdout') lines.push(line);
    },
  });
  const { code, signal } = await child.exited;
  if (code === 0) return lines.join('\n');
  const end = timeLimit.aborted ? `took longer than ${options.timeoutMs} ms` : `ended with ${signal ?? `code ${code}`}`;
  throw new ChildError('CF_CHILD_EXITED', [command, ...args].join(' '), end, child.lastLines());
}

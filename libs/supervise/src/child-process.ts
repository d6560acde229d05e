import { type ChildProcess as NodeChild, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildError } from './errors.ts';
import { OutputLines, type OutputStream } from './output-lines.ts';
import { dyingWithUs } from './parent-death.ts';
import { findProgram } from './program.ts';

/** How a child shows that it can be used: by a line it prints, or by an answer to a probe. */
export type Readiness =
  | { line(line: string): boolean }
  /** Asked every `everyMs` (default 20) until it gives true; false and a rejection both mean "not yet". */
  | { probe(signal: AbortSignal): Promise<boolean>; everyMs?: number };

export interface ChildOptions {
  /** For errors: what it is to the reader, as "nats-server". */
  name: string;
  /** A program on PATH, or its absolute path. */
  command: string;
  args?: readonly string[];
  /** Its whole environment. Default: ours. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Told each line of its output, without the line end. Output is read, and its end kept, with or without this. */
  onLine?(stream: OutputStream, line: string): void;
  /** Default: ready as soon as it runs. */
  ready?: Readiness;
  /** Default 10000. */
  readyTimeoutMs?: number;
  /** From {@link Child.stop}'s SIGTERM to SIGKILL. Default 5000. */
  stopTimeoutMs?: number;
  /** Ends the start, or later the child, as {@link Child.stop} does. */
  signal?: AbortSignal;
}

export interface ChildExit {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running child. Whoever started it owns it: the child and all it started are gone after stop() or kill(). */
export interface Child {
  readonly pid: number;
  /** Settles when the child is gone and its output is read; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** The end of what it printed. */
  lastLines(): readonly string[];
  /** SIGTERM, then SIGKILL after the time limit. Does nothing to a child that is gone. */
  stop(): Promise<ChildExit>;
  /** Sends this signal at once (default SIGKILL); the child may survive others than SIGKILL. */
  kill(signal?: NodeJS.Signals): void;
}

/** After its exit, so long is waited for the rest of a child's output: something that left its group may hold the pipe. */
const LAST_OUTPUT_MS = 500;

/**
 * Starts a program and waits until it is ready.
 *
 * It runs in a process group of its own, so that it stops with all it started, and a Ctrl-C in the terminal reaches us
 * alone, who stop children in order. It dies when we die, see {@link dyingWithUs}.
 *
 * @throws {ChildError} `CF_CHILD_NOT_STARTED` (no such program), `CF_CHILD_EXITED` (ended before it was ready),
 *   `CF_CHILD_NOT_READY` (not ready in time; it is killed)
 */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { name, ready, readyTimeoutMs = 10_000, signal } = options;
  signal?.throwIfAborted();

  const lineSeen = Promise.withResolvers<void>();
  const output = new OutputLines((stream, line) => {
    options.onLine?.(stream, line);
    if (ready && 'line' in ready && ready.line(line)) lineSeen.resolve();
  });
  const child = await start(options, output);
  if (signal) stopOnAbort(child, signal);
  if (!ready) return child;

  const waiting = new AbortController();
  const exited = child.exited.then(({ code, signal: by }) => {
    throw new ChildError(
      'CF_CHILD_EXITED',
      name,
      `ended with ${by ?? `code ${code}`} before it was ready`,
      output.last,
    );
  });
  const timeout = sleep(readyTimeoutMs, undefined, { signal: waiting.signal }).then(() => {
    throw new ChildError('CF_CHILD_NOT_READY', name, `was not ready after ${readyTimeoutMs} ms`, output.last);
  });
  for (const failure of [exited, timeout]) failure.catch(() => {});
  try {
    await Promise.race(['line' in ready ? lineSeen.promise : probed(ready, waiting.signal), exited, timeout]);
    return child;
  } catch (error) {
    child.kill();
    await child.exited;
    signal?.throwIfAborted();
    throw error;
  } finally {
    waiting.abort();
  }
}

async function probed(ready: Extract<Readiness, { probe: unknown }>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await ready.probe(signal).catch(() => false)) return;
    await sleep(ready.everyMs ?? 20, undefined, { signal }).catch(() => {});
  }
}

async function start(options: ChildOptions, output: OutputLines): Promise<Child> {
  const { name, env = process.env, cwd, stopTimeoutMs = 5000 } = options;
  const program = findProgram(options.command, env.PATH);
  if (!program) throw new ChildError('CF_CHILD_NOT_STARTED', name, `can't be started: no program ${options.command}`);
  const [command, args] = dyingWithUs(program, options.args ?? []);
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw await whyNotStarted(name, child);
  livingGroups.add(pid);

  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => output.add(stream, text));
  }
  const exited = exitOf(child, pid).then((exit) => {
    output.end();
    return exit;
  });
  let gone = false;
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!gone) signalGroup(pid, signal);
  };
  child.once('exit', () => {
    gone = true;
  });
  return {
    pid,
    exited,
    lastLines: () => output.last,
    kill,
    async stop() {
      kill('SIGTERM');
      const timer = setTimeout(kill, stopTimeoutMs, 'SIGKILL');
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Settles when the child is gone, what it left behind in its group is killed, and its output is read. */
async function exitOf(child: NodeChild, pid: number): Promise<ChildExit> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = await new Promise<ChildExit>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  signalGroup(pid, 'SIGKILL');
  livingGroups.delete(pid);
  const timeLimit = new AbortController();
  await Promise.race([closed, sleep(LAST_OUTPUT_MS, undefined, { signal: timeLimit.signal }).catch(() => {})]);
  timeLimit.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
  return exit;
}

async function whyNotStarted(name: string, child: NodeChild): Promise<ChildError> {
  const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
  return new ChildError('CF_CHILD_NOT_STARTED', name, `can't be started: ${cause.message}`, [], { cause });
}

function stopOnAbort(child: Child, signal: AbortSignal): void {
  const stop = () => void child.stop();
  signal.addEventListener('abort', stop, { once: true });
  void child.exited.then(() => signal.removeEventListener('abort', stop));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group is gone already, or (EPERM, on macOS) nothing but its zombie is left.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Where there is no parent-death signal, and for grandchildren everywhere, our regular exit still ends all. */
const livingGroups = new Set<number>();
process.on('exit', () => {
  for (const pid of livingGroups) signalGroup(pid, 'SIGKILL');
});

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createLogger, type Logger, type LogOptions } from './logger.ts';
import { startTracing, type TracingOptions } from './tracing.ts';

/** STARTING until all its connections stand; DRAINING from the signal to stop until everything is closed. */
type ServiceState = 'STARTING' | 'READY' | 'DRAINING' | 'STOPPED';

/** What a service's `main.ts` gets to build itself from. */
export interface Service {
  /** Unique to this start of this process: owners of leases are told apart by it. */
  readonly instance: string;
  readonly log: Logger;
  /** Aborted when the service is asked to stop (SIGTERM, SIGINT). */
  readonly stopping: AbortSignal;
  /** Closes something at the end; the last one registered is closed first. It may take `limitMs`, default 10 s. */
  onStop(what: string, close: () => Promise<unknown> | unknown, limitMs?: number): void;
  /** Stops the service with an error: for what it cannot run without. */
  fail(error: unknown): void;
}

export interface ServiceConfig {
  telemetry: LogOptions & TracingOptions;
}

interface Closer {
  readonly what: string;
  readonly close: () => Promise<unknown> | unknown;
  /** After this the next one goes on, milliseconds. */
  readonly limitMs: number;
}

const CLOSE_LIMIT_MS = 10_000;

/**
 * Runs one service from its configuration to its end: logs, traces, signals, orderly closing, exit code.
 * What its user must mend (an error with a `code`) is one clear line on stderr and exit code 1, without a stack trace.
 */
export async function runService<C extends ServiceConfig>(
  name: string,
  loadConfig: () => C,
  start: (config: C, service: Service) => Promise<void>,
): Promise<void> {
  let log: Logger | undefined;
  const closers: Closer[] = [];
  const stop = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const onSignal = () => stop.abort();
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  // Started by `./callfleet up`, which is gone: nobody is left to stop us.
  process.once('disconnect', onSignal);
  stop.signal.addEventListener('abort', () => stopped.resolve(), { once: true });

  let state: ServiceState = 'STARTING';
  const enter = (next: ServiceState) => {
    state = next;
    log?.info({ state }, `service.${state.toLowerCase()}`);
    if (process.connected) process.send?.({ state });
  };
  try {
    const config = loadConfig();
    const instance = `${process.env.CALLFLEET_INSTANCE ?? hostname()}-${randomBytes(3).toString('hex')}`;
    log = createLogger(name, instance, config.telemetry);
    closers.push({
      what: 'tracing',
      close: startTracing(name, instance, config.telemetry),
      limitMs: CLOSE_LIMIT_MS,
    });
    await start(config, {
      instance,
      log,
      stopping: stop.signal,
      onStop: (what, close, limitMs = CLOSE_LIMIT_MS) => closers.push({ what, close, limitMs }),
      fail: (error) => stopped.reject(error),
    });
    enter('READY');
    await stopped.promise;
  } catch (error) {
    reportFailure(name, error);
    process.exitCode = 1;
  }
  if (state !== 'STARTING') enter('DRAINING');
  stop.abort();
  for (const closer of closers.reverse()) await closeWithin(closer, log);
  if (state !== 'STARTING') enter('STOPPED');
  // A library's forgotten timer must not keep a stopped service alive.
  process.exit();
}

async function closeWithin({ what, close, limitMs }: Closer, log: Logger | undefined): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  const tooLate = new Promise((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`not closed within ${limitMs} ms`)), { once: true });
  });
  try {
    await Promise.race([close(), tooLate]);
  } catch (error) {
    log?.warn({ what, err: error }, 'service.close-failed');
  }
}

function reportFailure(name: string, error: unknown): void {
  const code = (error as { code?: unknown }).code;
  const known = error instanceof Error && typeof code === 'string' && code.startsWith('CF_');
  if (known) console.error(`callfleet ${name}: ${error.message} [${code}]`);
  else console.error(`callfleet ${name}: unexpected failure`, error);
}

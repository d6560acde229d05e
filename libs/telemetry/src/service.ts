import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions/incubating';
import { type Check, Health, type ServiceState } from './health.ts';
import { startHealthMetrics } from './health-metrics.ts';
import { type HttpOptions, startHttpEndpoint } from './http-endpoint.ts';
import { createLogger, type Logger, type LogOptions } from './logger.ts';
import { type MetricsOptions, startMetrics } from './metrics.ts';
import { startProcessMetrics } from './process-metrics.ts';
import { startTracing, type TracingOptions } from './tracing.ts';

/** What a service's `main.ts` gets to build itself from. */
export interface Service {
  /** Unique to this start of this process: owners of leases are told apart by it. */
  readonly instance: string;
  readonly log: Logger;
  /** Aborted when the service is asked to stop (SIGTERM, SIGINT). */
  readonly stopping: AbortSignal;
  /** Something that `/readyz` depends on. */
  check(what: string, whyNot: Check): void;
  /** Something that `/readyz` tells beside; without addresses or secrets. */
  detail(name: string, read: () => unknown): void;
  /**
   * Hands over, or ends, what the service has in hand; the last one registered is asked first. When all are through, it is
   * DRAINED. It may take `limitMs`, default 10 s.
   */
  onDrain(what: string, drain: () => Promise<unknown> | unknown, limitMs?: number): void;
  /** Closes something after that; the last one registered is closed first. It may take `limitMs`, default 10 s. */
  onStop(what: string, close: () => Promise<unknown> | unknown, limitMs?: number): void;
  /** Stops the service with an error: for what it cannot run without. */
  fail(error: unknown): void;
}

export interface ServiceConfig {
  telemetry: LogOptions & TracingOptions & MetricsOptions & { http: HttpOptions };
}

interface Closer {
  readonly what: string;
  readonly close: () => Promise<unknown> | unknown;
  /** After this the next one goes on, milliseconds. */
  readonly limitMs: number;
}

const CLOSE_LIMIT_MS = 10_000;

/**
 * Runs one service from its configuration to its end: logs, traces, metrics, health, signals, orderly closing, exit code.
 * What its user must mend (an error with a `code`) is one clear line on stderr and exit code 1, without a stack trace.
 */
export async function runService<C extends ServiceConfig>(
  name: string,
  loadConfig: () => C,
  start: (config: C, service: Service) => Promise<void>,
): Promise<void> {
  let log: Logger | undefined;
  const health = new Health();
  const drains: Closer[] = [];
  const closers: Closer[] = [];
  const stop = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const onSignal = () => stop.abort();
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  // Started by `./callfleet up`, which is gone: nobody is left to stop us.
  process.once('disconnect', onSignal);
  stop.signal.addEventListener('abort', () => stopped.resolve(), { once: true });

  const enter = (state: ServiceState) => {
    health.enter(state);
    log?.info({ state }, `service.${state.toLowerCase()}`);
    if (process.connected) process.send?.({ state });
  };
  let failed = false;
  try {
    const config = loadConfig();
    const instance = `${process.env.CALLFLEET_INSTANCE ?? hostname()}-${randomBytes(3).toString('hex')}`;
    log = createLogger(name, instance, config.telemetry);
    enter('INITIALIZED');
    await startTelemetry(name, instance, config.telemetry, { health, log, closers });
    await start(config, {
      instance,
      log,
      stopping: stop.signal,
      check: (what, whyNot) => health.check(what, whyNot),
      detail: (name, read) => health.detail(name, read),
      onDrain: (what, close, limitMs = CLOSE_LIMIT_MS) => drains.push({ what, close, limitMs }),
      onStop: (what, close, limitMs = CLOSE_LIMIT_MS) => closers.push({ what, close, limitMs }),
      fail: (error) => stopped.reject(error),
    });
    enter('RUNNING');
    await stopped.promise;
  } catch (error) {
    reportFailure(name, error);
    failed = true;
    process.exitCode = 1;
  }
  if (health.state === 'RUNNING') enter('DRAINING');
  stop.abort();
  const drained = await closeAll(drains, log);
  if (drained && health.state === 'DRAINING') enter('DRAINED');
  await closeAll(closers, log);
  enter(failed ? 'FAILED' : 'STOPPED');
  // A library's forgotten timer must not keep a stopped service alive.
  process.exit();
}

/** What is started first is closed last: how the service is can be asked until its end. */
async function startTelemetry(
  name: string,
  instance: string,
  options: ServiceConfig['telemetry'],
  { health, log, closers }: { health: Health; log: Logger; closers: Closer[] },
): Promise<void> {
  const resource = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: `callfleet-${name}`,
    [ATTR_SERVICE_INSTANCE_ID]: instance,
  });
  const metrics = startMetrics(resource, options);
  startProcessMetrics();
  startHealthMetrics(health);
  const { host, port } = options.http;
  if (port !== undefined) {
    const endpoint = await startHttpEndpoint({ host, port }, health, metrics.scrape);
    log.info({ host, port: endpoint.port }, 'http.listening');
    closers.push({ what: 'http', close: endpoint.close, limitMs: CLOSE_LIMIT_MS });
  }
  closers.push({ what: 'metrics', close: metrics.close, limitMs: CLOSE_LIMIT_MS });
  closers.push({ what: 'tracing', close: startTracing(resource, options), limitMs: CLOSE_LIMIT_MS });
}

/** The last one first. @returns whether all of it went well */
async function closeAll(closers: readonly Closer[], log: Logger | undefined): Promise<boolean> {
  let well = true;
  for (const closer of closers.toReversed()) well = (await closeWithin(closer, log)) && well;
  return well;
}

async function closeWithin({ what, close, limitMs }: Closer, log: Logger | undefined): Promise<boolean> {
  const limit = AbortSignal.timeout(limitMs);
  const tooLate = new Promise((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`not closed within ${limitMs} ms`)), { once: true });
  });
  try {
    await Promise.race([close(), tooLate]);
    return true;
  } catch (error) {
    log?.warn({ what, err: error }, 'service.close-failed');
    return false;
  }
}

function reportFailure(name: string, error: unknown): void {
  const code = (error as { code?: unknown }).code;
  const known = error instanceof Error && typeof code === 'string' && code.startsWith('CF_');
  if (known) console.error(`callfleet ${name}: ${error.message} [${code}]`);
  else console.error(`callfleet ${name}: unexpected failure`, error);
}

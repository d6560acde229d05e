import { announceWorker, connectBus, ensureStreams, OfferQueue } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { connectRedis, Session } from '@callfleet/leases';
import { runService } from '@callfleet/telemetry';
import { Admission } from './admission.ts';
import { ProgramThreads } from './program-threads.ts';
import { followRelays, RelayDirectory } from './relay-directory.ts';
import { Worker } from './worker.ts';

await runService('call-worker', loadConfig, async (config, service) => {
  const { log, instance } = service;
  const bus = await connectBus({ ...config.nats, name: instance });
  service.onStop('nats', () => bus.close());
  await ensureStreams(bus, config.nats);
  const redis = await connectRedis(config.redis.url, {
    name: instance,
    onError: (error) => log.warn({ err: error }, 'redis.error'),
  });
  service.onStop('redis', () => redis.quit());
  let worker: Worker | undefined;
  const session = await Session.start(redis, {
    kind: 'worker',
    instance,
    ttlMs: config.worker.sessionTtlMs,
    onForgotten: () => void worker?.assertLeases(),
    onRenewalFailed: (error) => log.warn({ err: error }, 'session.renewal-failed'),
  });
  service.onStop('session', () => session.close());

  const onBadMessage = (error: unknown) => log.warn({ err: error }, 'bus.bad-message');
  const relays = new RelayDirectory();
  service.onStop('relay announcements', followRelays(bus, relays, onBadMessage));
  const { maxEventLoopDelayMs, programMemoryMb, programThreads, stuckAfterMs } = config.worker;
  const admission = new Admission(maxEventLoopDelayMs);
  const threads = await ProgramThreads.start({
    programs: config.programs,
    count: programThreads,
    stuckAfterMs,
    memoryMb: programMemoryMb,
    onDelay: (delayMs) => {
      const change = admission.measure(delayMs);
      if (change) log.warn({ delayMs: Math.round(delayMs), limitMs: maxEventLoopDelayMs }, `offers.${change}`);
    },
    log,
  });
  service.onStop('program threads', () => threads.stop());

  const running = new Worker({
    bus,
    redis,
    session,
    offers: await OfferQueue.open(bus, config.worker.pool, onBadMessage),
    relays,
    routes: config.programs,
    threads,
    admission,
    log,
    maxCalls: config.worker.maxCalls,
    commandTimeoutMs: config.worker.commandTimeoutMs,
    connectTimeoutMs: config.worker.connectTimeoutMs,
  });
  worker = running;
  service.onStop(
    'presence',
    announceWorker(bus, instance, () => running.calls),
  );
  const pulling = running.takeOffers(service.stopping);
  const stopCalls = async () => {
    await pulling;
    await running.drain(config.worker.drainMs);
  };
  service.onStop('calls', stopCalls, config.worker.drainMs + 20_000);
});

import { announceWorker, connectBus, ensureStreams, OfferQueue } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { connectRedis, Session } from '@callfleet/leases';
import { runService } from '@callfleet/telemetry';
import { proveOnNats } from './nats-proof.ts';
import { loadPrograms } from './program-loader.ts';
import { followRelays, RelayDirectory } from './relay-directory.ts';
import { resolveSdkForPrograms } from './sdk-resolution.ts';
import { Standing } from './standing.ts';
import { Worker } from './worker.ts';

await runService('call-worker', loadConfig, async (config, service) => {
  const { log, instance } = service;
  resolveSdkForPrograms();
  const routes = await loadPrograms(config.programs);

  const bus = await connectBus({ ...config.nats, name: instance });
  service.onStop('nats', () => bus.close());
  await ensureStreams(bus, config.nats);
  const redis = await connectRedis(config.redis.url, {
    name: instance,
    onError: (error) => log.warn({ err: error }, 'redis.error'),
  });
  service.onStop('redis', () => redis.quit());
  let worker: Worker | undefined;
  const { sessionTtlMs } = config.worker;
  const standing = new Standing({
    ttlMs: sessionTtlMs,
    now: () => performance.now(),
    reaffirm: async () => {
      await session.renew();
      await worker?.assertLeases();
    },
    onChange: (isCertain) => log.warn({ isCertain }, 'worker.standing'),
  });
  const session = await Session.start(redis, {
    kind: 'worker',
    instance,
    ttlMs: sessionTtlMs,
    onRenewed: (sentAt) => standing.proven(sentAt),
    onForgotten: () =>
      worker?.assertLeases().catch((error: unknown) => log.warn({ err: error }, 'leases.not-asserted')),
    onRenewalFailed: (error) => log.warn({ err: error }, 'session.renewal-failed'),
  });
  service.onStop('session', () => session.close());
  const proving = proveOnNats(bus, sessionTtlMs / 4, (sentAt) => standing.proven(sentAt));
  service.onStop('proof of life', proving);

  const onBadMessage = (error: unknown) => log.warn({ err: error }, 'bus.bad-message');
  const relays = new RelayDirectory();
  service.onStop('relay announcements', followRelays(bus, relays, onBadMessage));
  const running = new Worker({
    bus,
    redis,
    session,
    standing,
    offers: await OfferQueue.open(bus, config.worker.pool, onBadMessage),
    relays,
    routes,
    log,
    maxCalls: config.worker.maxCalls,
    commandTimeoutMs: config.worker.commandTimeoutMs,
    connectTimeoutMs: config.worker.connectTimeoutMs,
  });
  worker = running;
  service.onStop('presence', announceWorker(bus, instance, running));
  const pulling = running.takeOffers(service.stopping);
  const stopCalls = async () => {
    await pulling;
    await running.drain(config.worker.drainMs);
  };
  service.onStop('calls', stopCalls, config.worker.drainMs + 20_000);
});

import {
  announcePrograms,
  announceWorker,
  awaitStreams,
  CALLS,
  CDRS,
  connectBus,
  OFFERS,
  OfferQueue,
  relayPresence,
  whyNatsIsAway,
} from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { connectRedis, Session, whyRedisIsAway } from '@callfleet/leases';
import { Admission, runService } from '@callfleet/telemetry';
import { expectPrograms, watchCalls } from './metrics.ts';
import { proveOnNats } from './nats-proof.ts';
import { OfferIntake } from './offer-intake.ts';
import { withVersions } from './program-loader.ts';
import { versionsOf } from './program-routes.ts';
import { ProgramThreads } from './program-threads.ts';
import { followRelays, RelayDirectory } from './relay-directory.ts';
import { RelayWatch } from './relay-watch.ts';
import { Standing } from './standing.ts';
import { Worker } from './worker.ts';

await runService(
  'call-worker',
  () => loadConfig({ service: 'worker' }),
  async (config, service) => {
    const { log, instance } = service;
    let threads: ProgramThreads | undefined;
    service.check('programs', () => (threads ? undefined : 'not loaded yet'));
    const programs = await withVersions(config.programs);
    expectPrograms(versionsOf(programs).map(({ name }) => name));

    const onForbidden = (error: Error) => log.error({ err: error }, 'nats.forbidden');
    const bus = await connectBus({ ...config.nats, name: instance, onForbidden });
    service.onStop('nats', () => bus.close());
    service.check('nats', () => whyNatsIsAway(bus));
    const redis = await connectRedis(config.redis.url, {
      name: instance,
      tls: config.redis.tls,
      onError: (error) => log.warn({ err: error }, 'redis.error'),
    });
    service.onStop('redis', () => redis.quit());
    service.check('redis', () => whyRedisIsAway(redis));
    await awaitStreams(bus, [CALLS, OFFERS, CDRS], { signal: service.stopping });
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
    const relayWatch = new RelayWatch({
      // While NATS is away, everybody seems silent.
      presence: async (relay) => (bus.awayMs() === undefined && bus.isSettled() ? relayPresence(bus, relay) : 'there'),
      now: () => performance.now(),
    });
    service.onStop('relay watch', () => relayWatch.close());
    const { maxEventLoopDelayMs, programMemoryMb, programThreads, stuckAfterMs } = config.worker;
    const admission = new Admission(maxEventLoopDelayMs);
    const places = await ProgramThreads.start({
      programs,
      count: programThreads,
      stuckAfterMs,
      memoryMb: programMemoryMb,
      onDelay: (delayMs) => {
        const change = admission.measure(delayMs);
        if (change) log.warn({ delayMs: Math.round(delayMs), limitMs: maxEventLoopDelayMs }, `offers.${change}`);
      },
      log,
    });
    threads = places;
    service.onStop('program threads', () => places.stop());

    const running = new Worker({
      bus,
      redis,
      session,
      standing,
      relays,
      relayWatch,
      routes: programs,
      threads: places,
      log,
      commandTimeoutMs: config.worker.commandTimeoutMs,
      connectTimeoutMs: config.worker.connectTimeoutMs,
      maxCallMs: config.worker.maxCallMs,
      maxAfterCallMs: config.worker.maxAfterCallMs,
    });
    worker = running;
    watchCalls(() => running.calls);
    service.onStop('presence', announceWorker(bus, instance, running));
    const { pool, maxCalls } = config.worker;
    const intake = new OfferIntake({
      newCalls: await OfferQueue.open(bus, pool, onBadMessage),
      takeovers: await Promise.all(
        versionsOf(programs).map((program) => OfferQueue.openTakeovers(bus, pool, program, onBadMessage)),
      ),
      maxCalls,
      admission,
      take: (inHand) => running.take(inHand),
      log,
    });
    service.check('offers', () => intake.whyTakesNone());
    const names = programs.map(({ name }) => name);
    service.stopping.addEventListener('abort', announcePrograms(bus, pool, names), { once: true });
    const pulling = intake.run(service.stopping);
    const stopCalls = async () => {
      await pulling;
      await running.drain(config.worker.drainMs);
    };
    service.onDrain('calls', stopCalls, config.worker.drainMs + 20_000);
  },
);

import { AriHttp } from '@callfleet/ari';
import {
  connectBus,
  createSpillFolder,
  EventOutbox,
  ensureStreams,
  SpillQueue,
  whyNatsIsAway,
  workerPresence,
} from '@callfleet/bus';
import { loadConfig, type PbxConfig } from '@callfleet/config';
import type { CallId } from '@callfleet/identity';
import { connectRedis, isLost, isSessionAlive, Session, whyRedisIsAway } from '@callfleet/leases';
import { eventMetrics, runService } from '@callfleet/telemetry';
import { checkCredentials } from './credentials-check.ts';
import { publishLeftovers } from './leftover-events.ts';
import { watchGuards, watchShards, watchSpill } from './metrics.ts';
import { PbxGuard } from './pbx-guard.ts';
import { ShardKeeper } from './shard-keeper.ts';
import { ShardLink } from './shard-link.ts';

await runService('ari-gateway', loadConfig, async (config, service) => {
  const { log, instance } = service;
  const settings = config.gateway;

  const bus = await connectBus({ ...config.nats, name: instance });
  service.onStop('nats', () => bus.close());
  service.check('nats', () => whyNatsIsAway(bus));
  await ensureStreams(bus, config.nats);
  const redis = await connectRedis(config.redis.url, {
    name: instance,
    onError: (error) => log.warn({ err: error }, 'redis.error'),
  });
  service.onStop('redis', () => redis.quit());
  service.check('redis', () => whyRedisIsAway(redis));
  await checkCredentials(config.pbxs, settings.connectTimeoutMs, log);

  const owner = { instance, servers: config.nats.servers };
  const spillFolder = await createSpillFolder(settings.spillFolder, owner);
  const spill = new SpillQueue({
    folder: spillFolder,
    maxBytes: settings.maxSpillBytes,
    onTrouble: (error, lost) => {
      counts.onRefused(lost);
      log.error({ err: error, folder: spillFolder, lost }, 'spill.failed');
    },
  });
  watchSpill(spill);
  const outbox: EventOutbox = new EventOutbox(bus, {
    maxHeld: settings.maxHeldEvents,
    spill,
    onPublished: ({ type }) => counts.onPublished(type),
    onRefused: (event) => {
      counts.onRefused();
      log.error({ call: event.call, type: event.type }, 'event.lost');
    },
    onRetry: (error) => log.warn({ err: error, held: outbox.held }, 'event.publish-retried'),
    onUnreadable: (error) => log.error({ err: error, folder: spillFolder }, 'spill.unreadable'),
  });
  const counts = eventMetrics(() => outbox.held);
  service.onStop('events', async () => {
    const lost = await outbox.close();
    if (lost > 0) log.error({ lost }, 'events.lost');
  });
  service.onDrain('events', () => outbox.flushed());
  const leftovers = publishLeftovers(
    { bus, root: settings.spillFolder, own: spillFolder, owner, log },
    service.stopping,
  );
  service.onDrain('leftovers', () => leftovers);

  // Dead is known at once, since NATS sees its connection close; one that only hangs is known when its session runs out.
  const isWorkerGone = async (worker: string, call?: CallId) => {
    const presence = await workerPresence(bus, worker, call);
    return isLost(presence, () => isSessionAlive(redis, 'worker', worker));
  };
  const pbxs = new Map<string, PbxConfig>(config.pbxs.map((pbx) => [pbx.name, pbx]));
  const guards = new Map<string, PbxGuard>();
  for (const pbx of config.pbxs) {
    const health = new AriHttp({ ...pbx, maxConnections: 2 });
    const { breaker, commandTimeoutMs: timeoutMs } = settings;
    const guard = new PbxGuard({ pbx: pbx.name, limits: pbx.limits, breaker, timeoutMs, health, log });
    guards.set(pbx.name, guard);
    service.onStop(`guard of ${pbx.name}`, () => {
      guard.close();
      return health.close();
    });
  }
  watchGuards([...guards.values()]);
  let keeper: ShardKeeper | undefined;
  const session = await Session.start(redis, {
    kind: 'gateway',
    instance,
    ttlMs: settings.sessionTtlMs,
    onAlive: (gateways) => keeper?.onGateways(gateways),
    onForgotten: () => keeper?.onForgotten(),
    onRenewalFailed: (error) => log.warn({ err: error }, 'session.renewal-failed'),
  });
  service.onDrain('session', () => session.close());
  const shards = new ShardKeeper({
    redis,
    session,
    // Long enough for every other gateway's next renewal.
    settleMs: settings.sessionTtlMs / 4,
    shards: config.pbxs.flatMap((pbx) => pbx.shards.map((shard) => ({ pbx: pbx.name, shard }))),
    open: ({ pbx, shard }) =>
      new ShardLink({
        bus,
        redis,
        outbox,
        gateway: instance,
        pbx: pbxs.get(pbx) as PbxConfig,
        shard,
        guard: guards.get(pbx) as PbxGuard,
        settings,
        isWorkerGone,
        log,
      }),
    log,
  });
  keeper = shards;
  watchShards(() => shards.held());
  service.check('shards', () => shards.whyNotReady());
  const keeping = shards.run(service.stopping);
  service.onDrain('shards', () => keeping);
});

import {
  announceGateway,
  askHandOver,
  type BreakerEvent,
  connectBus,
  encodeMessage,
  ensureStreams,
  followPbxAnnouncements,
  gatewayPresence,
  onHandOver,
  openSpillingOutbox,
  type PbxAnnouncement,
  PbxDirectory,
  subjects,
  whyNatsIsAway,
  workerPresence,
} from '@callfleet/bus';
import { isClassic, loadConfig, watchConfig } from '@callfleet/config';
import type { CallId } from '@callfleet/identity';
import { connectRedis, isLost, isSessionAlive, Session, whyRedisIsAway } from '@callfleet/leases';
import { eventMetrics, runService, type Service } from '@callfleet/telemetry';
import { LoopLateness } from './async/loop-lateness.ts';
import { listen } from './listen.ts';
import { checkCredentials } from './pbx/credentials-check.ts';
import type { Pbx } from './pbx/pbx.ts';
import { PbxBoard } from './pbx/pbx-board.ts';
import { PbxFleet } from './pbx/pbx-fleet.ts';
import { DialledInShards } from './pool/dialled-in-shards.ts';
import { ShardKeeper } from './pool/shard-keeper.ts';
import { ShardMirrors } from './pool/shard-mirrors.ts';
import { Standstill } from './pool/standstill.ts';
import { PbxIdentities } from './shard/pbx-identities.ts';
import { ShardLink } from './shard/shard-link.ts';
import { watchGuards, watchMirrors, watchPbxs, watchShards } from './telemetry/metrics.ts';

/** Its last commands may take long, and then their PBX may be tried with another gateway. */
const DRAIN_LIMIT_MS = 30_000;

/** Others take who is silent for three such rounds for gone. */
const ANNOUNCE_EVERY_MS = 2000;
const LOOK_EVERY_MS = 500;
/** Whether it sees a shard another gateway knows at once; meanwhile nobody has it. */
const MIRROR_ASKED_MS = 500;

await runService(
  'ari-gateway',
  () => loadConfig({ service: 'gateway' }),
  async (config, service) => {
    const { log, instance } = service;
    const settings = config.gateway;

    const onForbidden = (error: Error) => log.error({ err: error }, 'nats.forbidden');
    const bus = await connectBus({ ...config.nats, name: instance, onForbidden });
    service.onStop('nats', () => bus.close());
    service.check('nats', () => whyNatsIsAway(bus));
    await ensureStreams(bus, config.nats);
    const redis = await connectRedis(config.redis.url, {
      name: instance,
      tls: config.redis.tls,
      onError: (error) => log.warn({ err: error }, 'redis.error'),
    });
    service.onStop('redis', () => redis.quit());
    service.check('redis', () => whyRedisIsAway(redis));
    await checkCredentials(config.pbxs.filter(isClassic), settings.connectTimeoutMs, log);

    const outbox = await openSpillingOutbox(bus, service, {
      settings,
      servers: config.nats.servers,
      metrics: eventMetrics,
    });

    // Dead is known at once, since NATS sees its connection close; one that only hangs is known when its session runs out.
    const isWorkerGone = async (worker: string, call?: CallId) => {
      const presence = await workerPresence(bus, worker, call);
      return isLost(presence, () => isSessionAlive(redis, 'worker', worker));
    };
    const directory = new PbxDirectory();
    service.onStop(
      'pbx announcements',
      followPbxAnnouncements(
        bus,
        (told) => directory.hear(told),
        (error) => log.warn({ err: error }, 'pbx.bad-announcement'),
      ),
    );
    const identities = new PbxIdentities({
      redis,
      heardOwner: (entityId) => directory.ownerOf(entityId),
      isConfigured: (pbx) => fleet.has(pbx),
      log,
    });
    service.onStop('identities', () => identities.close());
    const tell = (subject: string, message: PbxAnnouncement | BreakerEvent) => {
      if (bus.awayMs() === undefined && !bus.nc.isClosed()) bus.nc.publish(subject, encodeMessage(message));
    };
    const claimIdentity = async (pbx: Pbx, entityId: string | undefined) => {
      if (entityId === undefined) return;
      await identities.claim(pbx.name, entityId);
      pbx.entityId = entityId;
    };
    const loop = new LoopLateness();
    service.onStop('loop lateness', () => loop.close());
    const fleet: PbxFleet = new PbxFleet({
      settings,
      loop,
      log,
      open: (pbx, shard, told, arrival) =>
        new ShardLink({
          bus,
          redis,
          outbox,
          gateway: instance,
          pbx: pbx.config,
          shard,
          guard: pbx.guard,
          settings,
          mirror: mirrors?.take({ pbx: pbx.name, shard }),
          isMirrored: () => settings.mirror && !arrival && keeper?.hasOthers === true,
          isWorkerGone,
          claimIdentity: (entityId) => claimIdentity(pbx, entityId),
          beforeCommand: () => standstill.look(),
          ...told,
          arrival,
          known: pbx.asterisk,
          sockets: pbx.sockets,
          log,
        }),
      claimIdentity,
      onShards: (pbx) => board.onOwn(pbx),
      onBreaker: (pbx, commandClass, state) =>
        tell(subjects.breaker(pbx), { pbx, gateway: instance, commandClass, state, at: new Date().toISOString() }),
      onForget: (pbx) => void identities.forget(pbx),
    });
    const board: PbxBoard = new PbxBoard({
      gateway: instance,
      directory,
      names: () => fleet.names,
      configured: (pbx) => fleet.shardsOf(pbx),
      own: (name) => fleet.get(name)?.known ?? { shards: [], openBreakers: [] },
      publish: (announcement) => tell(subjects.pbxAnnouncements, announcement),
      isCutOff: () => bus.awayMs() !== undefined || !bus.isSettled(),
      log,
    });
    const mirrors = settings.mirror
      ? new ShardMirrors({ open: (shard) => fleet.mirror(shard), now: () => performance.now() })
      : undefined;
    fleet.apply(config.pbxs);
    service.onStop('pbxs', () => fleet.close());
    service.onStop('mirrors', () => mirrors?.close());
    every(LOOK_EVERY_MS, service, () => board.look());
    every(ANNOUNCE_EVERY_MS, service, () => board.tellAll());
    watchGuards(() => fleet.guards);
    watchPbxs(() => board.statuses);
    service.detail('pbxs', () => board.statuses);
    // Before its session begins: who has a session and does not answer is taken for dead.
    service.onStop('presence', announceGateway(bus, instance));
    let keeper: ShardKeeper | undefined;
    let dialledIn: DialledInShards | undefined;
    const session = await Session.start(redis, {
      kind: 'gateway',
      instance,
      ttlMs: settings.sessionTtlMs,
      onAlive: (gateways) => keeper?.onGateways(gateways),
      onForgotten: () => {
        keeper?.onForgotten();
        dialledIn?.doubtAll();
        void identities.assertAll();
      },
      onRenewalFailed: (error) => log.warn({ err: error }, 'session.renewal-failed'),
    });
    // Within half of it nobody has taken what is ours for our silence.
    const standstill = new Standstill(settings.sessionTtlMs / 2, (ms) => {
      log.warn({ ms: Math.round(ms) }, 'gateway.stood-still');
      keeper?.doubtAll();
      dialledIn?.doubtAll();
    });
    service.onStop('standstill', () => standstill.close());
    /** From when a socket stands to the end of the hand-over: the other one carries out what it has first. */
    const handOverMs = 2 * settings.commandTimeoutMs + 5000;
    const shards = new ShardKeeper({
      redis,
      session,
      // Long enough for every other gateway's next renewal.
      settleMs: settings.sessionTtlMs / 4,
      lookEveryMs: settings.lookEveryMs,
      rebalanceAfterMs: settings.rebalanceAfterMs,
      standby: { connectWithinMs: settings.connectTimeoutMs, maxMs: handOverMs },
      presenceOf: (gateway) => gatewayPresence(bus, gateway),
      ask: (gateway, handOver) => {
        const limitMs = handOver.step === 'mirror' ? MIRROR_ASKED_MS : settings.connectTimeoutMs + 1000;
        return askHandOver(bus, gateway, handOver, limitMs);
      },
      shards: fleet.shards,
      mirrors,
      drainMs: settings.removedDrainMs,
      open: (shard, told) => fleet.open(shard, told),
      log,
    });
    keeper = shards;
    const arrived = new DialledInShards({
      redis,
      session,
      presenceOf: (gateway) => gatewayPresence(bus, gateway),
      shardAt: (path) => fleet.dialledIn(path)?.shard,
      open: (shard, told, arrival) => fleet.open(shard, told, arrival),
      connectWithinMs: settings.connectTimeoutMs,
      leaseWithinMs: handOverMs,
      drainMs: settings.removedDrainMs,
      log,
    });
    dialledIn = arrived;
    // Others may have taken us for dead meanwhile.
    service.onStop(
      'doubt',
      bus.onReconnect(() => {
        shards.doubtAll();
        arrived.doubtAll();
      }),
    );
    watchShards(() => [...shards.held(), ...arrived.all()]);
    watchMirrors(() => mirrors?.all() ?? []);
    service.check('shards', () => shards.whyNotReady());
    const keeping = shards.run(service.stopping);
    service.onDrain('shards', () => keeping, DRAIN_LIMIT_MS);
    if (settings.listen) {
      const listener = await listen(settings.listen, fleet, (dialIn) => arrived.onDialIn(dialIn), log);
      service.onStop('listener', () => listener.close());
      service.stopping.addEventListener('abort', () => listener.stopListening(), { once: true });
      service.onDrain('arrived shards', () => arrived.stop(), DRAIN_LIMIT_MS);
    }
    service.onStop(
      'hand-overs',
      onHandOver(bus, instance, (handOver) => shards.onHandOver(handOver)),
    );
    const unwatch = watchConfig(config, {
      service: 'gateway',
      onPbxs(now) {
        const changed = fleet.apply(now);
        mirrors?.closeOf(changed);
        shards.setShards(fleet.shards, changed);
        arrived.setShards(({ pbx, shard }) => fleet.dialledIn(`/ari/${pbx}/${shard}`) !== undefined, changed);
      },
      onRestartNeeded: (keys) => log.warn({ keys }, 'config.restart-needed'),
      onRefused: (error) => log.error({ err: error }, 'config.refused'),
    });
    service.stopping.addEventListener('abort', unwatch, { once: true });
  },
);

function every(ms: number, service: Service, work: () => void): void {
  const timer = setInterval(work, ms);
  service.stopping.addEventListener('abort', () => clearInterval(timer), { once: true });
}

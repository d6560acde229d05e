import { setFlagsFromString } from 'node:v8';
import {
  announceRelay,
  answer,
  awaitStreams,
  CALLS,
  connectBus,
  encodeMessage,
  followPbxAnnouncements,
  openSpillingOutbox,
  type RelayReply,
  relayRequestSchema,
  subjects,
  traceFields,
  whyNatsIsAway,
} from '@callfleet/bus';
import { loadConfig, watchConfig } from '@callfleet/config';
import { connectRedis } from '@callfleet/leases';
import { eventMetrics, inSpan, runService } from '@callfleet/telemetry';
import type { RelayError } from './errors.ts';
import { type LocalRelayOptions, startLocalRelay } from './local-relay.ts';
import { watchRoom } from './metrics.ts';
import { ProviderPlaces } from './provider-places.ts';
import { startRelayThreads } from './relay-threads.ts';
import { sessionEvents } from './session-events.ts';
import { noteSession } from './session-notes.ts';

const ANNOUNCE_EVERY_MS = 1000;

// docs/decisions/0042: a heap that may grow is marked seldom, and while it is marked packets are late.
setFlagsFromString('--heap-growing-percent=300');

await runService(
  'media-relay',
  () => loadConfig({ service: 'relay' }),
  async (config, service) => {
    const { instance, log } = service;

    const onForbidden = (error: Error) => log.error({ err: error }, 'nats.forbidden');
    const bus = await connectBus({ ...config.nats, name: instance, onForbidden });
    service.onStop('nats', () => bus.close());
    service.check('nats', () => whyNatsIsAway(bus));
    await awaitStreams(bus, [CALLS], { signal: service.stopping });

    const outbox = await openSpillingOutbox(bus, service, {
      settings: config.relay,
      servers: config.nats.servers,
      metrics: eventMetrics,
    });

    const pbxs = new Map(config.pbxs.map((pbx) => [pbx.name, pbx]));
    // Gateways may have a new PBX, and calls of it, a while before this process's file names it.
    const heardUrls = new Map<string, string>();
    const unfollow = followPbxAnnouncements(
      bus,
      ({ pbx, url }) => url !== undefined && heardUrls.set(pbx, url),
      (error) => log.warn({ err: error }, 'pbx.bad-announcement'),
    );
    service.onStop('pbx announcements', unfollow);
    const unwatch = watchConfig(config, {
      service: 'relay',
      // Those of PBXs that are gone stay, since calls of theirs may go on.
      onPbxs(changed) {
        for (const pbx of changed) pbxs.set(pbx.name, pbx);
      },
      onRestartNeeded: (keys) => log.warn({ keys }, 'config.restart-needed'),
      onRefused: (error) => log.error({ err: error }, 'config.refused'),
    });
    service.stopping.addEventListener('abort', unwatch, { once: true });
    const withdraw = announceRelay(bus, instance);
    service.onStop('presence', withdraw);
    const { providers: limits } = config.relay;
    let places: ProviderPlaces | undefined;
    // A relay needs no Redis otherwise.
    if (Object.keys(limits).length > 0) {
      const redis = await connectRedis(config.redis.url, {
        name: instance,
        tls: config.redis.tls,
        onError: (error) => log.warn({ err: error }, 'redis.error'),
      });
      service.onStop('redis', () => redis.quit());
      const counting = new ProviderPlaces({ limits, redis, log });
      service.onStop('places with voice AIs', () => counting.close());
      places = counting;
    }
    let announce = () => {};
    const options: LocalRelayOptions = {
      relay: instance,
      settings: config.relay,
      log,
      pbxs: {
        urlOf: (pbx) => pbxs.get(pbx)?.url ?? heardUrls.get(pbx),
        accountOf: (pbx) => pbxs.get(pbx),
      },
      events: (call, session) => {
        const fields = traceFields();
        const tell = sessionEvents({
          relay: instance,
          call,
          session,
          publish: (event) => outbox.publish(event, fields),
        });
        const note = noteSession(log, call, session);
        return (event) => {
          tell(event);
          note(event);
          if (event.type === 'ended') places?.leave(session, event.reason);
        };
      },
      onChange: () => announce(),
    };
    const onLost = (error: RelayError) => {
      // Whoever watches over calls finds nobody here, and moves them at once, not when this process has ended.
      withdraw();
      service.fail(error);
    };
    const { relay, pacing, close } =
      config.relay.threads === 1
        ? await startLocalRelay(options)
        : await startRelayThreads({ ...options, logging: config.telemetry, onLost });
    service.onStop('media', close);
    announce = () => {
      if (!bus.nc.isClosed()) bus.nc.publish(subjects.relayAnnouncements, encodeMessage(relay.announcement));
    };
    watchRoom(relay, pacing);
    service.check('room', () => {
      const { sessions, maxSessions } = relay.announcement;
      if (relay.isLate) return 'its event loop is late';
      return sessions < maxSessions ? undefined : 'it has as many sessions as it may';
    });
    service.onDrain('sessions', () => relay.stop());

    answer(
      bus,
      subjects.relay(instance),
      relayRequestSchema,
      (request, parent) => {
        const attributes = {
          'callfleet.call': request.call,
          'callfleet.session': request.session,
          'callfleet.epoch': request.epoch,
        };
        const handle = () => relay.handle(request);
        return inSpan(`media ${request.op}`, { parent, attributes }, () =>
          request.op === 'open' && places ? places.counted(request, handle) : handle(),
        );
      },
      (error): RelayReply => ({ ok: false, code: error.code, message: error.message }),
    );
    const announcing = setInterval(announce, ANNOUNCE_EVERY_MS);
    service.stopping.addEventListener('abort', () => clearInterval(announcing), { once: true });
    announce();
  },
);

import { readFileSync } from 'node:fs';
import type { DialInAccount } from '@callfleet/ari';
import {
  announceRelay,
  answer,
  type Bus,
  connectBus,
  encodeMessage,
  ensureStreams,
  followPbxAnnouncements,
  openSpillingOutbox,
  type RelayReply,
  relayRequestSchema,
  subjects,
  traceFields,
  whyNatsIsAway,
} from '@callfleet/bus';
import { type Config, loadConfig, watchConfig } from '@callfleet/config';
import { type FormatName, PacingClock } from '@callfleet/media';
import { eventMetrics, inSpan, type Logger, runService, type Service, watchSpill } from '@callfleet/telemetry';
import { AudioSocketServer } from './audiosocket-server.ts';
import { type AudioSocketFormat, AudioSocketTransport } from './audiosocket-transport.ts';
import { RelayError } from './errors.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import { dialledToPbx } from './leg-socket.ts';
import { LegSocketServer } from './leg-socket-server.ts';
import { watchRoom } from './metrics.ts';
import { PortPool } from './port-pool.ts';
import { processTime } from './process-time.ts';
import { Relay } from './relay.ts';
import { RtpTransport } from './rtp-transport.ts';
import { sessionEvents } from './session-events.ts';
import type { MediaTransport, TransportListener } from './transport.ts';
import { WebSocketTransport } from './websocket-transport.ts';

const ANNOUNCE_EVERY_MS = 1000;
const MEASURE_EVERY_MS = 1000;
const REPORT_PACING_EVERY_MS = 60_000;

await runService('media-relay', loadConfig, async (config, service) => {
  const { instance, log } = service;

  const bus = await connectBus({ ...config.nats, name: instance });
  service.onStop('nats', () => bus.close());
  service.check('nats', () => whyNatsIsAway(bus));
  await ensureStreams(bus, { replicas: config.nats.replicas });

  const { outbox, spill, leftovers } = await openSpillingOutbox(bus, {
    settings: config.relay,
    instance,
    servers: config.nats.servers,
    metrics: eventMetrics,
    log,
    stopping: service.stopping,
  });
  watchSpill(spill);
  service.onStop('events', async () => {
    const lost = await outbox.close();
    if (lost > 0) log.error({ lost }, 'events.lost');
  });
  service.onDrain('events', () => outbox.flushed());
  service.onDrain('leftovers', () => leftovers);

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
    // Those of PBXs that are gone stay, since calls of theirs may go on.
    onPbxs(changed) {
      for (const pbx of changed) pbxs.set(pbx.name, pbx);
    },
    onRestartNeeded: (keys) => log.warn({ keys }, 'config.restart-needed'),
    onRefused: (error) => log.error({ err: error }, 'config.refused'),
  });
  service.stopping.addEventListener('abort', unwatch, { once: true });
  const clock = new PacingClock(processTime, (error) => log.error({ err: error }, 'pacing.failed'));
  const relay: Relay = new Relay({
    relay: instance,
    ...config.relay,
    clock,
    time: processTime,
    log,
    transport: await transportFor(config, service, {
      urlOf: (pbx) => pbxs.get(pbx)?.url ?? heardUrls.get(pbx),
      accountOf: (pbx) => pbxs.get(pbx),
    }),
    events: (call, session) => {
      const fields = traceFields();
      return sessionEvents({ relay: instance, call, session, publish: (event) => outbox.publish(event, fields) });
    },
    onChange: () => announce(bus, relay),
  });
  watchRoom(relay);
  service.check('room', () => {
    const { sessions, maxSessions } = relay.announcement;
    if (relay.isLate) return 'its event loop is late';
    return sessions < maxSessions ? undefined : 'it has as many sessions as it may';
  });
  service.onDrain('sessions', () => relay.stop());

  service.onStop('presence', announceRelay(bus, instance));
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
      return inSpan(`media ${request.op}`, { parent, attributes }, () => relay.handle(request));
    },
    (error): RelayReply => ({ ok: false, code: error.code, message: error.message }),
  );
  const takeDelayMs = watchEventLoop();
  every(MEASURE_EVERY_MS, service, () => relay.measure(takeDelayMs()));
  every(ANNOUNCE_EVERY_MS, service, () => announce(bus, relay));
  every(REPORT_PACING_EVERY_MS, service, () => reportPacing(clock, relay, log));
  announce(bus, relay);
});

/** What is known of a PBX now. */
interface KnownPbxs {
  urlOf(pbx: string): string | undefined;
  accountOf(pbx: string): DialInAccount | undefined;
}

async function transportFor(
  config: Config,
  service: Service,
  { urlOf, accountOf }: KnownPbxs,
): Promise<(pbx: string, listener: TransportListener) => MediaTransport> {
  const { audiosocket, rtp, transport, websocket } = config.relay;
  const time = processTime;
  if (transport === 'audiosocket') {
    const format = config.relay.format as AudioSocketFormat | undefined;
    const server = await AudioSocketServer.listen({ ...audiosocket, time });
    service.onStop('audiosocket', () => server.close());
    const options = { ...audiosocket, server, format: format ?? 'slin', time };
    return (_pbx, listener) => new AudioSocketTransport(options, listener);
  }
  const { format = 'ulaw' } = config.relay;
  const ports = new PortPool({ ...rtp, now: time.now });
  if (transport === 'rtp') {
    const options = { ...rtp, ports, format: format as FormatName, time };
    return (_pbx, listener) => new RtpTransport(options, listener);
  }
  if (websocket.listen) {
    const server = await listenForLegs(config, service, websocket.listen);
    return (pbx, listener) => {
      if (!accountOf(pbx)) throw new RelayError('CF_PBX_UNKNOWN', `PBX "${pbx}" is not in this relay's configuration`);
      const leg = server.expect(() => accountOf(pbx));
      return new WebSocketTransport({ ...websocket, leg, format, time }, listener);
    };
  }
  return (pbx, listener) => {
    const pbxUrl = urlOf(pbx);
    if (!pbxUrl)
      throw new RelayError('CF_PBX_UNKNOWN', `this relay has no url of PBX "${pbx}", nor does a gateway tell of one`);
    return new WebSocketTransport({ ...websocket, leg: dialledToPbx(pbxUrl), format, time }, listener);
  };
}

async function listenForLegs(
  { relay: { maxSessions } }: Config,
  service: Service,
  { tls, ...listen }: NonNullable<Config['relay']['websocket']['listen']>,
): Promise<LegSocketServer> {
  const server = await LegSocketServer.listen({
    ...listen,
    ...(tls && { tls: { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') } }),
    maxLegs: maxSessions,
    time: processTime,
    onRefused: (why, from) => service.log.warn({ why, from }, 'leg.refused'),
  });
  service.onStop('legs', () => server.close());
  return server;
}

function announce(bus: Bus, relay: Relay): void {
  if (!bus.nc.isClosed()) bus.nc.publish(subjects.relayAnnouncements, encodeMessage(relay.announcement));
}

function reportPacing(clock: PacingClock, relay: Relay, log: Logger): void {
  const { sessions } = relay.announcement;
  if (sessions === 0) return;
  const { error, skippedFrames } = clock;
  log.info({ sessions, p99Ms: error.quantileMs(0.99), maxMs: error.maxMs, skippedFrames }, 'pacing.measured');
  error.reset();
}

function every(ms: number, service: Service, work: () => void): void {
  const timer = setInterval(work, ms);
  service.stopping.addEventListener('abort', () => clearInterval(timer), { once: true });
}

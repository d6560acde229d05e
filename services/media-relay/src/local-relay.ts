import { readFileSync } from 'node:fs';
import type { DialInAccount } from '@callfleet/ari';
import type { RelayConfig } from '@callfleet/config';
import { type FormatName, PacingClock, type TimeSource } from '@callfleet/media';
import type { Logger } from '@callfleet/telemetry';
import { AudioSocketServer } from './audiosocket-server.ts';
import { type AudioSocketFormat, AudioSocketTransport } from './audiosocket-transport.ts';
import { RelayError } from './errors.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import { dialledToPbx } from './leg-socket.ts';
import { LegSocketServer } from './leg-socket-server.ts';
import { type Pacing, PacingWatch } from './pacing-watch.ts';
import { PortPool } from './port-pool.ts';
import { processTime } from './process-time.ts';
import { Relay, type RelayOptions } from './relay.ts';
import { RtpTransport } from './rtp-transport.ts';
import type { MediaTransport, TransportListener } from './transport.ts';
import { WebSocketTransport } from './websocket-transport.ts';

const MEASURE_EVERY_MS = 1000;

export interface LocalRelayOptions extends Pick<RelayOptions, 'relay' | 'events' | 'onChange'> {
  readonly settings: RelayConfig;
  readonly log: Logger;
  readonly pbxs: KnownPbxs;
}

/** What is known of a PBX now. */
interface KnownPbxs {
  urlOf(pbx: string): string | undefined;
  /** What it shows when it connects to us. */
  accountOf(pbx: string): DialInAccount | undefined;
}

/** A relay whose sessions, with their clock and their sockets, are in this very thread. */
export interface LocalRelay {
  readonly relay: Relay;
  readonly pacing: () => Pacing;
  /** After `relay.stop`. */
  close(): Promise<void>;
}

/** @throws the system's error: EADDRINUSE, where another relay on this machine has the AudioSocket port */
export async function startLocalRelay({ settings, pbxs, ...options }: LocalRelayOptions): Promise<LocalRelay> {
  const { log } = options;
  const clock = new PacingClock(processTime, (error) => log.error({ err: error }, 'pacing.failed'));
  const time: TimeSource = { ...processTime, doDue: () => clock.catchUp() };
  const { transport, close } = await transportsOf(settings, pbxs, log, time);
  const relay = new Relay({ ...settings, ...options, clock, time, transport });
  const takeDelayMs = watchEventLoop();
  const measuring = setInterval(() => relay.measure(takeDelayMs()), MEASURE_EVERY_MS);
  const watch = new PacingWatch(clock);
  return {
    relay,
    pacing: () => watch.pacing,
    async close() {
      clearInterval(measuring);
      watch.close();
      await close();
    },
  };
}

interface Transports {
  readonly transport: (pbx: string, listener: TransportListener) => MediaTransport;
  /** What they share. */
  readonly close: () => Promise<void>;
}

async function transportsOf(
  settings: RelayConfig,
  pbxs: KnownPbxs,
  log: Logger,
  time: TimeSource,
): Promise<Transports> {
  const { audiosocket, format: chosen, rtp, transport, websocket } = settings;
  if (transport === 'audiosocket') {
    const format = (chosen as AudioSocketFormat | undefined) ?? 'slin';
    const server = await AudioSocketServer.listen({ ...audiosocket, time });
    const options = { ...audiosocket, server, format, time };
    return {
      transport: (_pbx, listener) => new AudioSocketTransport(options, listener),
      close: () => server.close(),
    };
  }
  const format = chosen ?? 'ulaw';
  const close = async () => {};
  if (transport === 'rtp') {
    const options = { ...rtp, ports: new PortPool({ ...rtp, now: time.now }), format: format as FormatName, time };
    return { transport: (_pbx, listener) => new RtpTransport(options, listener), close };
  }
  if (websocket.listen) return listenForLegs(settings, websocket.listen, pbxs, log, time);
  return {
    transport(pbx, listener) {
      const pbxUrl = pbxs.urlOf(pbx);
      if (!pbxUrl)
        throw new RelayError('CF_PBX_UNKNOWN', `this relay has no url of PBX "${pbx}", nor does a gateway tell of one`);
      return new WebSocketTransport({ ...websocket, leg: dialledToPbx(pbxUrl), format, time }, listener);
    },
    close,
  };
}

/** PBXs connect to us with their legs. */
async function listenForLegs(
  { format = 'ulaw', maxSessions, websocket }: RelayConfig,
  { tls, ...listen }: NonNullable<RelayConfig['websocket']['listen']>,
  pbxs: KnownPbxs,
  log: Logger,
  time: TimeSource,
): Promise<Transports> {
  const server = await LegSocketServer.listen({
    ...listen,
    ...(tls && { tls: { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') } }),
    maxLegs: maxSessions,
    time,
    onRefused: (why, from) => log.warn({ why, from }, 'leg.refused'),
  });
  return {
    transport(pbx, listener) {
      if (!pbxs.accountOf(pbx))
        throw new RelayError('CF_PBX_UNKNOWN', `PBX "${pbx}" is not in this relay's configuration`);
      const leg = server.expect(() => pbxs.accountOf(pbx));
      return new WebSocketTransport({ ...websocket, leg, format, time }, listener);
    },
    close: () => server.close(),
  };
}

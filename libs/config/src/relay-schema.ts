import { z } from 'zod';
import { heldEvents, milliseconds, section } from './schema-parts.ts';

const LINEAR_FORMATS = ['slin', 'slin16', 'slin24', 'slin48'] as const;
const MEDIA_FORMATS = ['ulaw', 'alaw', ...LINEAR_FORMATS, 'opus'] as const;

/**
 * What each transport carries in both directions. AudioSocket has linear audio only. Over RTP Asterisk sends the faster ones, but
 * does not listen to them (22.10.1): their payload types are dynamic, and nothing is negotiated with a media leg.
 */
const FORMATS = { websocket: MEDIA_FORMATS, rtp: ['ulaw', 'alaw', 'slin'], audiosocket: LINEAR_FORMATS } as const;

export const relay = section({
  zone: z.string().min(1).default('default'),
  maxSessions: z.int().min(1).default(500),
  /** The sessions are spread over so many threads, each with a clock and ports of its own. 1: they are in the main thread. */
  threads: z.int().min(1).max(64).default(1),
  ...heldEvents,
  /** How media legs reach this relay: chan_websocket (Asterisk 20.18, 22.8, 23.2 or newer), AudioSocket (TCP), or RTP for any. */
  transport: z.enum(['websocket', 'rtp', 'audiosocket']).default('rtp'),
  /**
   * What the audio is written as between PBX and relay. Default: ulaw, which passes through Asterisk and most voice AIs as it is;
   * slin for AudioSocket, which has linear audio only.
   */
  format: z.enum(MEDIA_FORMATS).optional(),
  rtp: section({
    bindAddress: z.string().min(1).default('0.0.0.0'),
    /** The address that PBXs send to; must be reachable from them. */
    advertisedAddress: z.string().min(1).default('127.0.0.1'),
    portMin: z.int().min(1024).max(65_534).default(20_000),
    portMax: z.int().min(1025).max(65_535).default(29_999),
    /** A freed port rests this long, so that no caller hears the end of another call. */
    portRestMs: z.int().min(0).default(10_000),
  })
    .refine((rtp) => rtp.portMax > rtp.portMin, { path: ['portMax'], error: 'must be above portMin' })
    .prefault({}),
  websocket: section({
    /** Audio sent ahead of its time; Asterisk plays it at its own pace. */
    leadMs: z.int().min(20).max(400).default(60),
    /** Where PBXs connect to with their media legs; none: the relay connects to the PBX. */
    listen: section({
      host: z.string().min(1).default('0.0.0.0'),
      port: z.int().min(1).max(65_535),
      /** PEM files. Without them passwords and audio go over the network as they are. */
      tls: section({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
      /** The entry of the PBXs' websocket_client.conf that names this relay. */
      client: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"')
        .default('callfleet-relay'),
    }).optional(),
  }).prefault({}),
  audiosocket: section({
    bindAddress: z.string().min(1).default('0.0.0.0'),
    /** The address that PBXs connect to; must be reachable from them. */
    advertisedAddress: z.string().min(1).default('127.0.0.1'),
    /** Where it listens for all of its legs; 0: any free port. Relays on one machine cannot share a port. */
    port: z.int().min(0).max(65_535).default(0),
  }).prefault({}),
  /** A session whose leg never comes is closed after this time. */
  attachTimeoutMs: milliseconds.default(10_000),
  /** A session that gets no packet from its PBX for this long is closed. */
  mediaTimeoutMs: milliseconds.default(60_000),
  watch: section({
    /** A voice AI that has said nothing so long after it was spoken to, or was to greet, has failed. 0: it may be silent. */
    firstAudioMs: z.int().min(0).default(15_000),
  }).prefault({}),
  /** By a provider's name. */
  providers: z
    .record(
      z.string(),
      section({
        /** Conversations at once with each of its keys, over all relays that say so. They are counted in Redis. */
        maxSessions: z.int().min(1),
      }),
    )
    .default({}),
  /** While its event loop is later than this it is asked for sessions only after all others. */
  maxEventLoopDelayMs: z.int().min(20).default(100),
}).superRefine(({ transport, format, threads, rtp, audiosocket, websocket }, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  const formats: readonly string[] = FORMATS[transport];
  if (format !== undefined && !formats.includes(format))
    refuse(['format'], `must be one of ${formats.join(', ')} with ${transport}`);
  if (threads === 1) return;
  if (transport === 'websocket' && websocket.listen)
    refuse(['threads'], 'must be 1 with relay.websocket.listen: PBXs connect to one port of a relay');
  // RTP's port is even, and the odd one above is RTCP's.
  const lowest = rtp.portMin + (rtp.portMin % 2) + 2 * threads - 1;
  if (transport === 'rtp' && rtp.portMax < lowest)
    refuse(
      ['rtp', 'portMax'],
      `must be at least ${lowest}: each of relay.threads (${threads}) needs two ports of its own`,
    );
  const last = audiosocket.port + threads - 1;
  if (transport === 'audiosocket' && audiosocket.port > 0 && last > 65_535)
    refuse(
      ['audiosocket', 'port'],
      `must be at most ${65_536 - threads}: each of relay.threads (${threads}) has one, from this on`,
    );
});

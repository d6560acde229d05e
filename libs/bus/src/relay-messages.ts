import { z } from 'zod';
import { callIdSchema } from './identity-schema.ts';

export const mediaTransports = ['websocket', 'rtp', 'audiosocket'] as const;

/** Told by each relay every second, and at once when its state changes. */
export const relayAnnouncementSchema = z.object({
  relay: z.string(),
  zone: z.string(),
  sessions: z.int().nonnegative(),
  maxSessions: z.int().positive(),
  /** It takes no new sessions. */
  draining: z.boolean(),
  /** Its event loop is late: it is asked only when there is no other. */
  late: z.boolean().optional(),
});

export type RelayAnnouncement = z.infer<typeof relayAnnouncementSchema>;

const forSession = {
  /** The id of the leg's channel, `<call>~media<n>`: one session, one leg. */
  session: z.string(),
  call: callIdSchema,
  epoch: z.int().positive(),
};

/** Turns of a conversation that a session which goes on for another is told of, at most. */
const MAX_HISTORY = 100;

const spokenSchema = z.object({ role: z.enum(['caller', 'bot']), text: z.string() });

/** Something that was said, whole. */
export type Spoken = z.infer<typeof spokenSchema>;

/** What a worker asks of a relay. Each is idempotent by `session`. */
export const relayRequestSchema = z.discriminatedUnion('op', [
  /** Makes room and says how the PBX shall reach it. */
  z.object({
    op: z.literal('open'),
    ...forSession,
    pbx: z.string(),
    provider: z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
    /** The same for all sessions of one conversation, which may be moved: the id of its first. */
    conversation: z.string().optional(),
    /** What was said before, in a session that this one goes on for: the AI is told. */
    history: z.array(spokenSchema).max(MAX_HISTORY).optional(),
  }),
  /** The leg's channel is there: its variables (UNICASTRTP_LOCAL_PORT, MEDIA_WEBSOCKET_CONNECTION_ID, ...) say where. */
  z.object({ op: z.literal('attach'), ...forSession, channelVariables: z.record(z.string(), z.string()) }),
  /** What a `tool-call` of the AI came to, as text for it. */
  z.object({ op: z.literal('tool-result'), ...forSession, id: z.string(), result: z.string().max(65_536) }),
  /** The bot is to say this, in these words as nearly as it can. Once for each `id`. */
  z.object({ op: z.literal('say'), ...forSession, id: z.string(), text: z.string().min(1).max(4000) }),
  /** The caller pressed a key; for legs that carry none. Once for each `id`. */
  z.object({ op: z.literal('digit'), ...forSession, id: z.string(), key: z.string().regex(/^[0-9*#A-D]$/) }),
  /** From now on the AI hears silence and no keys, and no turns are told; or all of it again. */
  z.object({ op: z.literal('private'), ...forSession, on: z.boolean() }),
  /** Ends the session and answers with what it measured. */
  z.object({ op: z.literal('close'), ...forSession, reason: z.string() }),
]);

export type RelayRequest = z.infer<typeof relayRequestSchema>;

/** Parameters of `POST /channels/externalMedia`, chosen by the relay for its transport. */
const externalMediaSchema = z.object({
  external_host: z.string(),
  encapsulation: z.enum(['rtp', 'none', 'audiosocket']),
  transport: z.enum(['udp', 'websocket', 'tcp']),
  connection_type: z.enum(['client', 'server']),
  format: z.string(),
  data: z.string().optional(),
  transport_data: z.string().optional(),
});

export type ExternalMedia = z.infer<typeof externalMediaSchema>;

/** What a media session measured, for the call record. */
export const mediaStatsSchema = z.object({
  provider: z.string(),
  transport: z.enum(mediaTransports),
  /** From the first audio in both directions to the end, milliseconds. */
  talkMs: z.number(),
  /**
   * Caller's audio that reached the provider: packets, milliseconds, the loudest second in dBFS, milliseconds of speech. Of RTP
   * alone: packets that came too late (among the lost ones), audio made up for lost ones, the jitter at its worst, and the round trip where
   * the PBX sends reports.
   */
  heard: z.object({
    packets: z.int(),
    ms: z.number(),
    peakDbfs: z.number(),
    speechMs: z.number(),
    lost: z.int(),
    late: z.int().optional(),
    concealedMs: z.number().optional(),
    jitterMs: z.number().optional(),
    roundTripMs: z.number().optional(),
  }),
  /** Provider's audio that was played to the caller; silence between is not counted. */
  spoke: z.object({ packets: z.int(), ms: z.number() }),
  /** What the provider said that it cost, in the provider's own words: `inputTokens`, `costUsd`. Empty: it said nothing. */
  usage: z.record(z.string(), z.number()),
});

export type MediaStats = z.infer<typeof mediaStatsSchema>;

export const relayReplySchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    externalMedia: externalMediaSchema.optional(),
    stats: mediaStatsSchema.optional(),
  }),
  z.object({
    ok: z.literal(false),
    /** CF_RELAY_FULL, CF_RELAY_DRAINING, CF_RELAY_PORTS_EXHAUSTED, CF_PROVIDER_UNKNOWN, CF_SESSION_UNKNOWN, ... */
    code: z.string(),
    message: z.string(),
  }),
]);

export type RelayReply = z.infer<typeof relayReplySchema>;

/** Events of a media session on its call's subject. The type is `media.<key>`. */
export const mediaEventSchemas = {
  /** Audio flows in both directions. */
  started: z.object({ session: z.string(), relay: z.string(), provider: z.string() }),
  /** Something the caller or the bot said, whole. */
  turn: z.object({
    session: z.string(),
    role: z.enum(['caller', 'bot']),
    text: z.string(),
    startMs: z.number(),
    endMs: z.number(),
  }),
  /** The last event of a session, however it ended. */
  ended: z.object({
    session: z.string(),
    relay: z.string(),
    reason: z.enum(['closed', 'provider-ended', 'provider-failed', 'never-attached', 'media-lost', 'relay-stopped']),
    detail: z.string().optional(),
    stats: mediaStatsSchema,
  }),
} as const;

export type MediaStarted = z.infer<(typeof mediaEventSchemas)['started']>;
export type MediaTurn = z.infer<(typeof mediaEventSchemas)['turn']>;
export type MediaEnded = z.infer<(typeof mediaEventSchemas)['ended']>;

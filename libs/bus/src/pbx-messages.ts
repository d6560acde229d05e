import { z } from 'zod';

/**
 * How a PBX is, as the whole fleet sees it:
 *
 * - `CONNECTED`: the event sockets of all its shards stand.
 * - `SYNCING`: sockets stand, and what was missed without them is being found out.
 * - `DEGRADED`: it is served, but a shard is away, or a class of commands is not sent to it.
 * - `DOWN`: no event socket of it stands.
 */
export const pbxStates = ['CONNECTED', 'SYNCING', 'DEGRADED', 'DOWN'] as const;

export type PbxState = (typeof pbxStates)[number];

const shardReportSchema = z.object({
  shard: z.string(),
  /** `draining`: taken out of the configuration, its last calls go on. */
  state: z.enum(['connected', 'syncing', 'away', 'draining']),
  since: z.iso.datetime(),
  /** Without addresses or secrets. */
  why: z.string().optional(),
  /** Calls that have not ended. */
  calls: z.int().nonnegative(),
});

export type ShardReport = z.infer<typeof shardReportSchema>;

/**
 * Told on `cf.pbxs` by each gateway of each PBX that it holds a shard of: at each change and every two seconds. Without shards: it
 * holds none any more.
 */
export const pbxAnnouncementSchema = z.object({
  pbx: z.string(),
  gateway: z.string(),
  /** Of the whole PBX, from what all gateways tell. Left out while not enough is known. */
  state: z.enum(pbxStates).optional(),
  since: z.iso.datetime().optional(),
  why: z.string().optional(),
  /** Where this gateway reaches it. Relays that do not have it in their configuration yet dial it there. */
  url: z.string().optional(),
  /** Asterisk's own, once it has been read and is this PBX's alone. */
  entityId: z.string().optional(),
  /** Those that this gateway holds. */
  shards: z.array(shardReportSchema),
  /** Classes of commands that this gateway does not send to it. */
  openBreakers: z.array(z.string()),
});

export type PbxAnnouncement = z.infer<typeof pbxAnnouncementSchema>;

/** Told on `cf.breaker.<pbx>` when a gateway stops sending a class of commands to a PBX, or sends them again. */
export const breakerEventSchema = z.object({
  pbx: z.string(),
  gateway: z.string(),
  /** `control`, `media`, `originate`, `read`. */
  commandClass: z.string(),
  state: z.enum(['open', 'closed']),
  at: z.iso.datetime(),
});

export type BreakerEvent = z.infer<typeof breakerEventSchema>;

import type { Bus } from './connection.ts';
import { decodeMessage } from './message.ts';
import { type PbxCondition, pbxCondition } from './pbx-condition.ts';
import { type PbxAnnouncement, pbxAnnouncementSchema, type ShardReport } from './pbx-messages.ts';
import { subjects } from './subjects.ts';

/** A shard as the gateway that holds it tells of it; without `gateway`: nobody holds it. */
export interface KnownShard extends ShardReport {
  readonly gateway?: string;
}

/** A gateway that has not told of a PBX for this long holds nothing of it, milliseconds; they tell every two seconds. */
const STALE_AFTER_MS = 7000;
/** A shard that changes hands, or whose gateway we have not heard yet, is held by nobody for a moment, milliseconds. */
const GRACE_MS = 5000;

/** What counts of two that tell of one shard. */
const RANKS: readonly ShardReport['state'][] = ['connected', 'syncing', 'draining', 'away'];

/** All PBXs of the fleet, from what gateways announce. */
export class PbxDirectory {
  readonly #heard = new Map<string, Map<string, { announcement: PbxAnnouncement; at: number }>>();
  /** When somebody was last heard to hold a shard, or when we first asked for it. */
  readonly #heldAt = new Map<string, number>();
  readonly #now: () => number;
  readonly #graceMs: number;

  /** @param options.graceMs 0 for who has listened long enough before it asks */
  constructor({ now = Date.now, graceMs = GRACE_MS }: { now?: () => number; graceMs?: number } = {}) {
    this.#now = now;
    this.#graceMs = graceMs;
  }

  hear(announcement: PbxAnnouncement): void {
    const { pbx, gateway, shards } = announcement;
    const at = this.#now();
    const gateways = this.#heard.get(pbx) ?? new Map();
    if (shards.length === 0) gateways.delete(gateway);
    else gateways.set(gateway, { announcement, at });
    if (gateways.size === 0) this.#heard.delete(pbx);
    else this.#heard.set(pbx, gateways);
    for (const { shard } of shards) this.#heldAt.set(`${pbx}/${shard}`, at);
  }

  /** PBXs that somebody tells of. */
  get names(): string[] {
    for (const pbx of this.#heard.keys()) this.#forgetStale(pbx);
    return [...this.#heard.keys()];
  }

  /** What gateways tell of one PBX. */
  announcementsOf(pbx: string): PbxAnnouncement[] {
    this.#forgetStale(pbx);
    return [...(this.#heard.get(pbx)?.values() ?? [])].map(({ announcement }) => announcement);
  }

  /**
   * Its shards, in the configuration's order; others, that drain, behind them.
   *
   * @param configured those that it should have
   */
  shardsOf(pbx: string, configured: readonly string[]): KnownShard[] {
    const known = new Map<string, KnownShard>();
    for (const { gateway, shards } of this.announcementsOf(pbx))
      for (const report of shards) {
        const other = known.get(report.shard);
        // While a shard is handed over, two tell of it.
        if (!other || RANKS.indexOf(report.state) < RANKS.indexOf(other.state))
          known.set(report.shard, { ...report, gateway });
      }
    const shards: KnownShard[] = [];
    for (const shard of configured) {
      const found = known.get(shard) ?? this.#unheld(pbx, shard);
      if (found) shards.push(found);
      known.delete(shard);
    }
    return [...shards, ...known.values()].filter(
      ({ shard, state }) => configured.includes(shard) || state === 'draining',
    );
  }

  /** Undefined while not enough is known of it: nothing is, or a shard changes hands in this moment. */
  conditionOf(pbx: string, configured: readonly string[]): PbxCondition | undefined {
    const shards = this.shardsOf(pbx, configured);
    const isKnown = configured.every((name) => shards.some(({ shard }) => shard === name));
    if (shards.length === 0 || !isKnown) return undefined;
    const open = this.announcementsOf(pbx).flatMap(({ openBreakers }) => openBreakers);
    return pbxCondition(shards, [...new Set(open)].sort());
  }

  /** Who is known to be the Asterisk with this entityid. */
  ownerOf(entityId: string): string | undefined {
    return this.names.find((pbx) => this.announcementsOf(pbx).some((told) => told.entityId === entityId));
  }

  /** Nobody could be heard for a while: what is known counts as just heard. */
  keepAll(): void {
    const now = this.#now();
    for (const gateways of this.#heard.values()) for (const heard of gateways.values()) heard.at = now;
    for (const name of this.#heldAt.keys()) this.#heldAt.set(name, now);
  }

  #unheld(pbx: string, shard: string): KnownShard | undefined {
    const name = `${pbx}/${shard}`;
    const now = this.#now();
    const since = this.#heldAt.get(name) ?? now;
    this.#heldAt.set(name, since);
    if (now - since < this.#graceMs) return undefined;
    return {
      shard,
      state: 'away',
      since: new Date(since).toISOString(),
      why: 'no gateway holds it',
      calls: 0,
    };
  }

  #forgetStale(pbx: string): void {
    const gateways = this.#heard.get(pbx);
    if (!gateways) return;
    const now = this.#now();
    for (const [gateway, { at }] of gateways) if (now - at > STALE_AFTER_MS) gateways.delete(gateway);
    if (gateways.size === 0) this.#heard.delete(pbx);
  }
}

/** @returns stops */
export function followPbxAnnouncements(
  bus: Bus,
  onAnnouncement: (announcement: PbxAnnouncement) => void,
  onBadMessage: (error: unknown) => void,
): () => void {
  const subscription = bus.nc.subscribe(subjects.pbxAnnouncements, {
    callback: (error, message) => {
      if (error) return onBadMessage(error);
      try {
        onAnnouncement(decodeMessage(pbxAnnouncementSchema, message.data));
      } catch (error) {
        onBadMessage(error);
      }
    },
  });
  return () => subscription.unsubscribe();
}

import type { PbxState, ShardReport } from './pbx-messages.ts';

export interface PbxCondition {
  readonly state: PbxState;
  /** Undefined of CONNECTED. */
  readonly why?: string;
}

/** What the states of its shards, and the breakers that are open for it, say of a PBX. */
export function pbxCondition(
  all: readonly Pick<ShardReport, 'shard' | 'state' | 'why'>[],
  openBreakers: readonly string[],
): PbxCondition {
  const shards = all.filter(({ state }) => state !== 'draining');
  if (shards.length === 0 && all.length > 0)
    return { state: 'DEGRADED', why: 'taken out of the configuration: its last calls go on' };
  const away = shards.filter(({ state }) => state === 'away');
  const syncing = shards.filter(({ state }) => state === 'syncing').map(({ shard }) => shard);
  const reconciled = { state: 'SYNCING', why: `${syncing.join(', ')}: what was missed is being found out` } as const;
  if (away.length === shards.length) return { state: 'DOWN', why: whyAll(away) };
  if (away.length + syncing.length === shards.length) return reconciled;
  if (away.length > 0) return { state: 'DEGRADED', why: whyEach(away) };
  if (openBreakers.length > 0)
    return { state: 'DEGRADED', why: `it fails commands, so none are sent: ${openBreakers.join(', ')}` };
  return syncing.length > 0 ? reconciled : { state: 'CONNECTED' };
}

const UNKNOWN = 'no gateway holds a shard of it';

/** Said once, where it is the same of all. */
function whyAll(away: readonly Pick<ShardReport, 'shard' | 'why'>[]): string {
  const whys = new Set(away.map(({ why }) => why ?? UNKNOWN));
  const [only = UNKNOWN] = whys;
  return whys.size > 1 ? whyEach(away) : only;
}

function whyEach(away: readonly Pick<ShardReport, 'shard' | 'why'>[]): string {
  return away.map(({ shard, why }) => `${shard}: ${why ?? 'away'}`).join('; ');
}

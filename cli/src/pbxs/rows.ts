import type { KnownShard, PbxDirectory, PbxState } from '@callfleet/bus';

/** A PBX of the fleet. */
export interface PbxRow {
  readonly pbx: string;
  readonly state: PbxState;
  /** Undefined where no gateway tells of it. */
  readonly since?: string;
  readonly why?: string;
  readonly shards: readonly KnownShard[];
  /** Calls that have not ended. */
  readonly calls: number;
  /** False of one that gateways have, and the configuration has not: it drains, or they were given another one. */
  readonly configured: boolean;
}

/** The PBXs of the configuration, and behind them those that only gateways know. */
export function pbxRows(
  directory: PbxDirectory,
  pbxs: readonly { readonly name: string; readonly shards: readonly string[] }[],
): PbxRow[] {
  const configured = new Map(pbxs.map(({ name, shards }) => [name, shards]));
  const others = directory.names.filter((name) => !configured.has(name)).sort();
  return [...configured.keys(), ...others].map((pbx) => {
    const told = directory.announcementsOf(pbx);
    const names = configured.get(pbx) ?? [...new Set(told.flatMap(({ shards }) => shards.map(({ shard }) => shard)))];
    const shards = directory.shardsOf(pbx, names);
    const condition = directory.conditionOf(pbx, names) ?? { state: 'DOWN', why: 'no gateway holds a shard of it' };
    // Gateways know since when; each has seen what it has seen.
    const [since] = told.flatMap((one) => (one.state === condition.state && one.since ? [one.since] : [])).sort();
    return {
      pbx,
      ...condition,
      ...(since !== undefined && { since }),
      shards,
      calls: shards.reduce((sum, { calls }) => sum + calls, 0),
      configured: configured.has(pbx),
    };
  });
}

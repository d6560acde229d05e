/** One Stasis application of one PBX. */
export interface Shard {
  readonly pbx: string;
  readonly shard: string;
}

/** What its lease is for. */
export function nameOf({ pbx, shard }: Shard): string {
  return `shard/${pbx}/${shard}`;
}

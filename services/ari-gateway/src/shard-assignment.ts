import { createHash } from 'node:crypto';

/** One Stasis application of one PBX. */
export interface Shard {
  readonly pbx: string;
  readonly shard: string;
}

/**
 * The shards that `gateway` should hold, given all gateways that are alive. Every gateway computes the same, so they
 * need not talk about it. The shards of one PBX go to different gateways as far as there are enough.
 */
export function shardsFor(gateway: string, gateways: readonly string[], shards: readonly Shard[]): Shard[] {
  const orders = new Map<string, readonly string[]>();
  const seen = new Map<string, number>();
  return shards.filter(({ pbx }) => {
    const index = seen.get(pbx) ?? 0;
    seen.set(pbx, index + 1);
    const order = orders.get(pbx) ?? orderFor(pbx, gateways);
    orders.set(pbx, order);
    return order[index % order.length] === gateway;
  });
}

/** Another order for each PBX, so that the first shards of all PBXs do not meet on one gateway. */
function orderFor(pbx: string, gateways: readonly string[]): string[] {
  const rank = (gateway: string) => createHash('sha1').update(`${pbx} ${gateway}`).digest('hex');
  return [...gateways].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

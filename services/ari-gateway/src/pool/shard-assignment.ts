import { createHash } from 'node:crypto';
import { nameOf, type Shard } from '../names/shard.ts';

/** Who has which shard, by `nameOf`. */
export type Holders = ReadonlyMap<string, string>;

export interface Move {
  readonly shard: Shard;
  readonly from: string;
  readonly to: string;
}

/**
 * Who should have each shard, by its name: whoever of `gateways` has it, and for those that none of them has, one that has few
 * of its PBX and few in all. Every gateway computes the same, so they need not talk about it.
 */
export function assign(
  shards: readonly Shard[],
  holders: Holders,
  gateways: readonly string[],
): ReadonlyMap<string, string> {
  const loads = new Loads(shards, holders, gateways);
  const assigned = new Map<string, string>();
  for (const shard of shards) {
    const name = nameOf(shard);
    const holder = loads.holderOf(name) ?? loads.leastLoaded(shard);
    if (holder === undefined) continue;
    loads.place(name, shard.pbx, holder);
    assigned.set(name, holder);
  }
  return assigned;
}

/**
 * Who would get each shard if the gateway that has it died; nobody for those that no gateway has, or that only one could have. Those
 * of one gateway are inherited together, as `assign` shares them out.
 */
export function heirs(
  shards: readonly Shard[],
  holders: Holders,
  gateways: readonly string[],
): ReadonlyMap<string, string> {
  const inherited = new Map<string, string>();
  for (const gateway of gateways) {
    const held = shards.map(nameOf).filter((name) => holders.get(name) === gateway);
    if (held.length === 0) continue;
    const assigned = assign(
      shards,
      holders,
      gateways.filter((other) => other !== gateway),
    );
    for (const name of held) {
      const heir = assigned.get(name);
      if (heir !== undefined) inherited.set(name, heir);
    }
  }
  return inherited;
}

/**
 * What to move next, so that in the end the gateways' shards differ by one at most, those of each PBX as well as all; undefined
 * when they do, or when somebody must take a shard first. Each move brings it closer, so moves come to an end.
 */
export function nextMove(shards: readonly Shard[], holders: Holders, gateways: readonly string[]): Move | undefined {
  const loads = new Loads(shards, holders, gateways);
  if (shards.some((shard) => loads.holderOf(nameOf(shard)) === undefined)) return undefined;
  for (const shard of shards) {
    const { pbx } = shard;
    const from = loads.holderOf(nameOf(shard)) as string;
    const to = loads.leastLoaded(shard) as string;
    const ofPbx = loads.ofPbx(from, pbx) - loads.ofPbx(to, pbx);
    if (ofPbx > 1 || (ofPbx === 1 && loads.inAll(from) - loads.inAll(to) > 1)) return { shard, from, to };
  }
  return undefined;
}

/** How many shards each gateway has. */
class Loads {
  readonly #gateways: readonly string[];
  readonly #holders: Map<string, string>;
  readonly #counts = new Map<string, number>();
  readonly #orders = new Map<string, readonly string[]>();

  constructor(shards: readonly Shard[], holders: Holders, gateways: readonly string[]) {
    const alive = new Set(gateways);
    this.#gateways = gateways;
    this.#holders = new Map([...holders].filter(([, holder]) => alive.has(holder)));
    for (const shard of shards) {
      const holder = this.#holders.get(nameOf(shard));
      if (holder !== undefined) this.#count(shard.pbx, holder);
    }
  }

  holderOf(name: string): string | undefined {
    return this.#holders.get(name);
  }

  ofPbx(gateway: string, pbx: string): number {
    return this.#counts.get(`${gateway} ${pbx}`) ?? 0;
  }

  inAll(gateway: string): number {
    return this.#counts.get(gateway) ?? 0;
  }

  place(name: string, pbx: string, holder: string): void {
    if (this.#holders.has(name)) return;
    this.#holders.set(name, holder);
    this.#count(pbx, holder);
  }

  leastLoaded({ pbx }: Shard): string | undefined {
    let least: string | undefined;
    for (const gateway of this.#orderFor(pbx))
      if (least === undefined || this.#hasLess(gateway, least, pbx)) least = gateway;
    return least;
  }

  #hasLess(a: string, b: string, pbx: string): boolean {
    const ofPbx = this.ofPbx(a, pbx) - this.ofPbx(b, pbx);
    return ofPbx < 0 || (ofPbx === 0 && this.inAll(a) < this.inAll(b));
  }

  #count(pbx: string, gateway: string): void {
    this.#counts.set(`${gateway} ${pbx}`, this.ofPbx(gateway, pbx) + 1);
    this.#counts.set(gateway, this.inAll(gateway) + 1);
  }

  /** Another order for each PBX, so that the first shards of all PBXs do not meet on one gateway. */
  #orderFor(pbx: string): readonly string[] {
    const known = this.#orders.get(pbx);
    if (known) return known;
    const ranks = this.#gateways.map((gateway) => [
      createHash('sha1').update(`${pbx} ${gateway}`).digest('hex'),
      gateway,
    ]);
    const order = ranks.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)).map(([, gateway = '']) => gateway);
    this.#orders.set(pbx, order);
    return order;
  }
}

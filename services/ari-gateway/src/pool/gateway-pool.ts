import type { Presence } from '@callfleet/leases';
import { nameOf, type Shard } from '../names/shard.ts';
import { assign, type Holders } from './shard-assignment.ts';

export interface GatewayPoolOptions {
  /** This gateway. */
  readonly self: string;
  /** Who has the leases of these names; undefined: nobody. */
  readonly ownersOf: (names: readonly string[]) => Promise<(string | undefined)[]>;
  readonly presenceOf: (gateway: string) => Promise<Presence>;
}

/** Who is there, and who has what. */
export interface PoolView {
  readonly gateways: readonly string[];
  readonly holders: Holders;
}

/** The gateways that share the shards: as their sessions in Redis say, less those that NATS knows to be dead. */
export class GatewayPool {
  readonly #options: GatewayPoolOptions;
  #inSession: readonly string[] = [];
  #members = '';
  /** Whom to ask after, as long as nothing changes. */
  #watched: { readonly given: string; readonly gateways: readonly string[] } = { given: '', gateways: [] };
  #gone: ReadonlySet<string> = new Set();
  #stableSince = performance.now();

  constructor(options: GatewayPoolOptions) {
    this.#options = options;
  }

  /** Told whose sessions are alive, again and again. */
  onAlive(gateways: readonly string[]): void {
    this.#inSession = gateways;
  }

  get isKnown(): boolean {
    return this.#inSession.length > 0;
  }

  /** How long nobody has joined or left. */
  get stableMs(): number {
    return performance.now() - this.#stableSince;
  }

  async look(shards: readonly Shard[]): Promise<PoolView> {
    const { ownersOf, presenceOf } = this.#options;
    const names = shards.map(nameOf);
    const owners = await ownersOf(names);
    const holders = new Map(names.flatMap((name, n) => (owners[n] === undefined ? [] : [[name, owners[n]] as const])));
    const candidates = this.#inSession;
    // One that is gone has nothing any more, and its session may last.
    const wereGone = candidates.filter((gateway) => this.#gone.has(gateway));
    const watched = [...new Set([...this.#whomToAskAfter(shards, candidates, holders), ...wereGone])];
    const presences = await Promise.all(watched.map(presenceOf));
    this.#gone = new Set(watched.filter((_, n) => presences[n] === 'gone'));
    const gateways = candidates.filter((gateway) => !this.#gone.has(gateway));
    const members = gateways.join();
    if (members !== this.#members) this.#stableSince = performance.now();
    this.#members = members;
    return { gateways, holders };
  }

  /** Only those who would get shards of a gateway ask after it: the questions grow with the shards, not with the gateways squared. */
  #whomToAskAfter(shards: readonly Shard[], gateways: readonly string[], holders: Holders): readonly string[] {
    const given = JSON.stringify([shards, gateways, ...holders]);
    if (given !== this.#watched.given) {
      const watched = gateways.filter((gateway) => this.#isHeirOf(gateway, shards, gateways, holders));
      this.#watched = { given, gateways: watched };
    }
    return this.#watched.gateways;
  }

  #isHeirOf(gateway: string, shards: readonly Shard[], gateways: readonly string[], holders: Holders): boolean {
    const { self } = this.#options;
    if (gateway === self) return false;
    const others = gateways.filter((other) => other !== gateway);
    const assigned = assign(shards, holders, others);
    return shards.map(nameOf).some((name) => holders.get(name) === gateway && assigned.get(name) === self);
  }
}

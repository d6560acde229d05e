import { type Config, isClassic, type PbxConfig } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import type { LoopLateness } from '../async/loop-lateness.ts';
import type { PbxGuard } from '../commands/pbx-guard.ts';
import { ShardMirror } from '../mirror/shard-mirror.ts';
import type { CommandClass } from '../names/command-class.ts';
import type { Shard } from '../names/shard.ts';
import type { Link, LinkListeners } from '../pool/held-shards.ts';
import type { LinkState } from '../shard/link-state.ts';
import type { Arrival } from '../shard/shard-link.ts';
import { beginOpenings } from '../telemetry/metrics.ts';
import { Pbx } from './pbx.ts';

export interface PbxFleetOptions {
  readonly settings: Config['gateway'];
  /** Of this process. */
  readonly loop: LoopLateness;
  readonly log: Logger;
  /** Opens a shard's event socket. */
  readonly open: (pbx: Pbx, shard: string, told: FleetListeners, arrival?: Arrival) => Link;
  /** @throws PbxIdentityError when that Asterisk is another PBX's */
  readonly claimIdentity: (pbx: Pbx, entityId: string | undefined) => Promise<void>;
  /** What this gateway knows of a PBX's shards has changed, or the PBX has been added or removed. */
  readonly onShards: (pbx: string) => void;
  readonly onBreaker: (pbx: string, commandClass: CommandClass, state: 'open' | 'closed') => void;
  /** It is not in the configuration any more, or may be another Asterisk now. */
  readonly onForget: (pbx: string) => void;
}

interface FleetListeners extends LinkListeners {
  readonly onState: (state: LinkState) => void;
}

/** The PBXs of the configuration, as it is now. */
export class PbxFleet {
  readonly #options: PbxFleetOptions;
  readonly #pbxs = new Map<string, Pbx>();
  /** Replaced or removed, with links that are not closed yet. */
  readonly #retired = new Set<Pbx>();

  constructor(options: PbxFleetOptions) {
    this.#options = options;
  }

  /** @returns the names of those that are replaced: their links are to be opened anew */
  apply(configs: readonly PbxConfig[]): ReadonlySet<string> {
    const { log, onShards, onForget } = this.#options;
    const changed = new Set<string>();
    const names = new Set(configs.map(({ name }) => name));
    for (const [name, pbx] of this.#pbxs)
      if (!names.has(name)) {
        log.info({ pbx: name }, 'pbx.removed');
        this.#retire(pbx);
        this.#pbxs.delete(name);
        onForget(name);
        onShards(name);
      }
    for (const config of configs) {
      const { name } = config;
      const known = this.#pbxs.get(name);
      if (known && isSameBut('shards', known.config, config)) {
        if (!isSame(known.config, config)) log.info({ pbx: name, shards: config.shards }, 'pbx.shards-changed');
        known.takeShards(config);
        continue;
      }
      if (known || this.#retiredAs(name)) changed.add(name);
      if (known) {
        log.info({ pbx: name }, 'pbx.changed');
        this.#retire(known);
        if (known.config.url !== config.url) onForget(name);
      } else log.info({ pbx: name, shards: config.shards }, 'pbx.added');
      this.#pbxs.set(name, this.#create(config));
      beginOpenings(name);
    }
    for (const { name } of configs) onShards(name);
    return changed;
  }

  /** Of the PBXs that gateways dial. */
  get shards(): Shard[] {
    return [...this.#pbxs.values()].flatMap(({ name, config }) =>
      isClassic(config) ? config.shards.map((shard) => ({ pbx: name, shard })) : [],
    );
  }

  /** Whoever dials to this path, `/ari/<pbx>/<shard>`: a shard of a PBX that dials us. */
  dialledIn(path: string): { readonly shard: Shard; readonly config: PbxConfig } | undefined {
    const [, ari, name = '', shard = '', ...rest] = path.split('/');
    const config = this.#pbxs.get(name)?.config;
    if (ari !== 'ari' || rest.length > 0 || !config || isClassic(config) || !config.shards.includes(shard))
      return undefined;
    return { shard: { pbx: name, shard }, config };
  }

  get names(): string[] {
    return [...this.#pbxs.keys()];
  }

  /** Of one in the configuration. */
  shardsOf(name: string): readonly string[] | undefined {
    return this.#pbxs.get(name)?.config.shards;
  }

  get guards(): PbxGuard[] {
    return [...this.#pbxs.values()].map(({ guard }) => guard);
  }

  has(name: string): boolean {
    return this.#pbxs.has(name);
  }

  /** As it is in the configuration; else as it was, while calls of it go on. */
  get(name: string): Pbx | undefined {
    return this.#pbxs.get(name) ?? this.#retiredAs(name);
  }

  /**
   * @param shard of a PBX that is in the configuration
   * @param arrival of one that dials us
   */
  open({ pbx: name, shard }: Shard, told: LinkListeners, arrival?: Arrival): Link {
    const pbx = this.#pbxs.get(name);
    if (!pbx) throw new Error(`there is no PBX ${name}`);
    return pbx.hold(shard, (onState) => this.#options.open(pbx, shard, { ...told, onState }, arrival));
  }

  /** Undefined of what is not in the configuration, and of a PBX that dials us. */
  mirror({ pbx: name, shard }: Shard): ShardMirror | undefined {
    const pbx = this.#pbxs.get(name);
    const { settings, log } = this.#options;
    if (!pbx || !isClassic(pbx.config)) return undefined;
    const claimIdentity = (entityId: string | undefined) => this.#options.claimIdentity(pbx, entityId);
    return new ShardMirror({ pbx: pbx.config, shard, guard: pbx.guard, settings, claimIdentity, log });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pbxs.values(), ...this.#retired].map((pbx) => pbx.close()));
  }

  #create(config: PbxConfig): Pbx {
    const { settings, loop, log, onShards, onBreaker } = this.#options;
    const pbx = new Pbx(config, {
      settings,
      loop,
      log,
      onShards: () => {
        if (!pbx.isHeld) this.#retired.delete(pbx);
        onShards(config.name);
      },
      onBreaker: (commandClass, state) => {
        onBreaker(config.name, commandClass, state);
        onShards(config.name);
      },
    });
    return pbx;
  }

  #retire(pbx: Pbx): void {
    if (pbx.isHeld) this.#retired.add(pbx);
    void pbx.retire();
  }

  #retiredAs(name: string): Pbx | undefined {
    return [...this.#retired].find((pbx) => pbx.name === name);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isSameBut(key: keyof PbxConfig, one: PbxConfig, other: PbxConfig): boolean {
  return isSame({ ...one, [key]: undefined }, { ...other, [key]: undefined });
}

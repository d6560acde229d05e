import { AriHttp } from '@callfleet/ari';
import type { PbxAnnouncement, ShardReport } from '@callfleet/bus';
import { type Config, isClassic, type PbxConfig } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import type { LoopLateness } from '../async/loop-lateness.ts';
import { PbxGuard } from '../commands/pbx-guard.ts';
import type { CommandClass } from '../names/command-class.ts';
import type { Link } from '../pool/held-shards.ts';
import { KnownWhileConnected } from '../shard/known-while-connected.ts';
import type { LinkState } from '../shard/link-state.ts';
import { OpenSockets } from '../shard/open-sockets.ts';

export interface PbxOptions {
  readonly settings: Config['gateway'];
  readonly loop: LoopLateness;
  readonly log: Logger;
  /** A shard of it is in another state, or is held, or is no more. */
  readonly onShards: () => void;
  readonly onBreaker: (commandClass: CommandClass, state: 'open' | 'closed') => void;
}

/** One PBX as this gateway has it: its configuration, the guard before it, and the shards of it that are in our hands. */
export class Pbx {
  readonly guard: PbxGuard;
  /** As soon as it was read, and is this PBX's alone. */
  entityId: string | undefined;
  readonly asterisk = new KnownWhileConnected();
  /** Those of its shards that it has opened to us itself. */
  readonly sockets: OpenSockets;
  readonly #options: PbxOptions;
  readonly #http: AriHttp | undefined;
  readonly #shards = new Map<string, HeldShard>();
  #config: PbxConfig;
  #isRetired = false;
  #closing: Promise<void> | undefined;

  constructor(config: PbxConfig, options: PbxOptions) {
    const { settings, loop, log, onBreaker } = options;
    this.#config = config;
    this.#options = options;
    this.sockets = new OpenSockets(config.name);
    this.#http = isClassic(config) ? new AriHttp({ ...config, maxConnections: 2 }) : undefined;
    this.guard = new PbxGuard({
      pbx: config.name,
      limits: config.limits,
      breaker: settings.breaker,
      timeoutMs: settings.commandTimeoutMs,
      health: this.#http ?? this.sockets,
      loop,
      onBreaker,
      log,
    });
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): PbxConfig {
    return this.#config;
  }

  /** Other shards of the same Asterisk. */
  takeShards(config: PbxConfig): void {
    this.#config = config;
  }

  /** What others are told of it. */
  get known(): Pick<PbxAnnouncement, 'url' | 'entityId' | 'shards' | 'openBreakers'> {
    return {
      ...(this.#config.url !== undefined && { url: this.#config.url }),
      ...(this.entityId !== undefined && { entityId: this.entityId }),
      shards: this.reports,
      openBreakers: this.guard.openBreakers,
    };
  }

  /** The shards that this gateway holds. */
  get reports(): ShardReport[] {
    return [...this.#shards.values()].flatMap((held) => held.report ?? []);
  }

  /** A shard of it is in our hands. */
  get isHeld(): boolean {
    return this.#shards.size > 0;
  }

  /** @param open makes the link, which tells its states from then on */
  hold(shard: string, open: (onState: (state: LinkState) => void) => Link): Link {
    const { onShards } = this.#options;
    const held = new HeldShard(shard, onShards);
    const link = open((state) => held.enter(state));
    held.link = link;
    this.#shards.set(shard, held);
    onShards();
    const gone = async () => {
      if (this.#shards.get(shard) === held) this.#shards.delete(shard);
      onShards();
      if (this.#isRetired) await this.#closeWhenIdle();
    };
    return {
      get connected() {
        return link.connected;
      },
      get calls() {
        return link.calls;
      },
      standBy: (withinMs) => link.standBy(withinMs),
      serve: () => link.serve(),
      suspend: () => link.suspend(),
      abandon: () => link.abandon(),
      release: (connectHeir) => link.release(connectHeir),
      drain: (limitMs, signal) => {
        held.drains();
        return link.drain(limitMs, signal);
      },
      leave: async () => {
        await link.leave();
        await gone();
      },
      close: async () => {
        await link.close();
        await gone();
      },
    };
  }

  /** Not in the configuration any more, or replaced: closed with the last of its links. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.#closeWhenIdle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.guard.close();
    await this.#http?.close();
  }

  async #closeWhenIdle(): Promise<void> {
    if (!this.isHeld) await this.close();
  }
}

class HeldShard {
  readonly #shard: string;
  readonly #onChange: () => void;
  link: Link | undefined;
  /** Undefined until it was tried for the first time. */
  #state: LinkState | undefined;
  #since = new Date();
  #isDraining = false;

  constructor(shard: string, onChange: () => void) {
    this.#shard = shard;
    this.#onChange = onChange;
  }

  get report(): ShardReport | undefined {
    const state = this.#state;
    if (!state) return undefined;
    return {
      shard: this.#shard,
      state: this.#isDraining ? 'draining' : state.state,
      since: this.#since.toISOString(),
      ...(state.state === 'away' && { why: state.why }),
      calls: this.link?.calls ?? 0,
    };
  }

  enter(state: LinkState): void {
    if (state.state !== this.#state?.state) this.#since = new Date();
    this.#state = state;
    this.#onChange();
  }

  drains(): void {
    this.#isDraining = true;
    this.#since = new Date();
    this.#onChange();
  }
}

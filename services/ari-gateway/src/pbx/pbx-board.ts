import type { PbxAnnouncement, PbxCondition, PbxDirectory, PbxState } from '@callfleet/bus';
import type { Logger } from '@callfleet/telemetry';

/** How a PBX is, since when. */
export interface PbxStatus extends PbxCondition {
  readonly pbx: string;
  readonly since: string;
}

export interface PbxBoardOptions {
  readonly gateway: string;
  readonly directory: PbxDirectory;
  /** Those in the configuration. */
  readonly names: () => readonly string[];
  /** A PBX's shards; undefined of one that is not in the configuration. */
  readonly configured: (pbx: string) => readonly string[] | undefined;
  /** What this gateway has in hand of a PBX, in the configuration or not. */
  readonly own: (pbx: string) => Pick<PbxAnnouncement, 'url' | 'entityId' | 'shards' | 'openBreakers'>;
  readonly publish: (announcement: PbxAnnouncement) => void;
  /** Others can't be heard. */
  readonly isCutOff: () => boolean;
  readonly log: Logger;
}

const LEVELS = { CONNECTED: 'info', SYNCING: 'info', DEGRADED: 'warn', DOWN: 'error' } as const satisfies Record<
  PbxState,
  string
>;

/** The state of each PBX, from what this gateway has in hand and others tell; each change is logged and told. */
export class PbxBoard {
  readonly #options: PbxBoardOptions;
  readonly #statuses = new Map<string, PbxStatus>();
  /** PBXs that we told of last, with shards: others wait to hear that we hold none any more. */
  readonly #told = new Set<string>();

  constructor(options: PbxBoardOptions) {
    this.#options = options;
  }

  /** Of all PBXs in the configuration of which enough is known. */
  get statuses(): PbxStatus[] {
    return this.#options.names().flatMap((name) => this.#statuses.get(name) ?? []);
  }

  /** What we have in hand of this PBX is not what it was. */
  onOwn(pbx: string): void {
    this.#hearOwn(pbx);
    this.#look(pbx);
    this.#tell(pbx);
  }

  /** Looks at all, since others may have told something: a change is told at once. */
  look(): void {
    const { directory, isCutOff } = this.#options;
    if (isCutOff()) directory.keepAll();
    for (const pbx of this.#names()) {
      this.#hearOwn(pbx);
      if (this.#look(pbx)) this.#tell(pbx);
    }
  }

  tellAll(): void {
    for (const pbx of this.#names()) this.#tell(pbx);
  }

  #names(): ReadonlySet<string> {
    return new Set([...this.#options.names(), ...this.#told]);
  }

  #announcement(pbx: string): PbxAnnouncement {
    const { gateway, own } = this.#options;
    const { state, since, why } = this.#statuses.get(pbx) ?? {};
    return {
      pbx,
      gateway,
      ...(state && { state }),
      ...(since !== undefined && { since }),
      ...(why !== undefined && { why }),
      ...own(pbx),
    };
  }

  #hearOwn(pbx: string): void {
    this.#options.directory.hear(this.#announcement(pbx));
  }

  /** @returns whether it is another state, or another reason for it */
  #look(pbx: string): boolean {
    const { directory, configured, log } = this.#options;
    const shards = configured(pbx);
    const before = this.#statuses.get(pbx);
    const now = directory.conditionOf(pbx, shards ?? []);
    if (!now) {
      if (!shards) this.#statuses.delete(pbx);
      return false;
    }
    if (before?.state === now.state && before.why === now.why) return false;
    const since = before?.state === now.state ? before.since : new Date().toISOString();
    this.#statuses.set(pbx, { pbx, since, ...now });
    log[LEVELS[now.state]]({ pbx, state: now.state, before: before?.state, why: now.why }, 'pbx.state');
    return true;
  }

  #tell(pbx: string): void {
    const announcement = this.#announcement(pbx);
    if (announcement.shards.length > 0) this.#told.add(pbx);
    // Who never held one leaves it to those who do.
    else if (!this.#told.delete(pbx)) return;
    this.#options.publish(announcement);
  }
}

import { acquireLease, type Lease, type LeaseRedis, releaseLease } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';

/** Another PBX of the configuration has this Asterisk's `entityid`: events of the two could not be told apart. */
export class PbxIdentityError extends Error {
  override readonly name = 'PbxIdentityError';
  readonly code = 'CF_PBX_IDENTITY_TAKEN';
  readonly entityId: string;
  readonly owner: string;

  constructor(pbx: string, entityId: string, owner: string) {
    super(
      `its entityid ${entityId} is that of ${owner}. If both are one Asterisk, remove ${pbx} or mend its pbxs[].url; ` +
        `if it is a clone, set entityid in [options] of asterisk.conf as ./callfleet pbx-config --pbx ${pbx} prints it, and restart Asterisk`,
    );
    this.entityId = entityId;
    this.owner = owner;
  }
}

export interface PbxIdentitiesOptions {
  readonly redis: LeaseRedis;
  /** The PBX that other gateways tell has this entityid. */
  readonly heardOwner: (entityId: string) => string | undefined;
  readonly isConfigured: (pbx: string) => boolean;
  readonly log: Logger;
}

/** Redis forgets a claim after a day. */
const ASSERT_EVERY_MS = 3_600_000;

/**
 * Which Asterisk is which PBX: the first that shows an `entityid` has it as long as it is in the configuration, on all gateways. The
 * claims are leases whose owner is the PBX.
 */
export class PbxIdentities {
  readonly #options: PbxIdentitiesOptions;
  readonly #claims = new Map<string, { readonly entityId: string; readonly lease?: Lease }>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: PbxIdentitiesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.assertAll(), ASSERT_EVERY_MS).unref();
  }

  /**
   * To be called before an event socket is opened. While Redis is away, what this gateway knows and hears decides.
   *
   * @throws PbxIdentityError
   */
  async claim(pbx: string, entityId: string): Promise<void> {
    const { redis, heardOwner, log } = this.#options;
    const before = this.#claims.get(pbx);
    if (before && before.entityId !== entityId) await this.forget(pbx);
    for (const owner of [this.#ownClaim(entityId), heardOwner(entityId)])
      if (owner !== undefined && owner !== pbx && this.#isStill(owner, entityId))
        throw new PbxIdentityError(pbx, entityId, owner);
    // At once: the sockets of one PBX, and of its double, are opened side by side.
    if (!this.#claims.has(pbx)) this.#claims.set(pbx, { entityId });
    if (redis.status !== 'ready') return;
    try {
      const lease = await this.#acquire(pbx, entityId);
      if (lease.owner === pbx) this.#claims.set(pbx, { entityId, lease });
      else {
        this.#claims.delete(pbx);
        throw new PbxIdentityError(pbx, entityId, lease.owner);
      }
    } catch (error) {
      if (error instanceof PbxIdentityError) throw error;
      log.warn({ pbx, err: error }, 'pbx.identity-not-claimed');
    }
  }

  /** It is removed from the configuration, or may be another Asterisk now. */
  async forget(pbx: string): Promise<void> {
    const claim = this.#claims.get(pbx);
    this.#claims.delete(pbx);
    if (!claim?.lease) return;
    await releaseLease(this.#options.redis, claim.lease).catch((error: unknown) =>
      this.#options.log.warn({ pbx, err: error }, 'pbx.identity-not-released'),
    );
  }

  /** Redis may have forgotten what we claimed. */
  async assertAll(): Promise<void> {
    for (const [pbx, { entityId }] of this.#claims)
      try {
        const { owner } = await this.#acquire(pbx, entityId);
        if (owner !== pbx) this.#options.log.error({ pbx, entityId, owner }, 'pbx.identity-lost');
      } catch (error) {
        this.#options.log.warn({ pbx, err: error }, 'pbx.identity-not-claimed');
      }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #acquire(pbx: string, entityId: string): Promise<Lease> {
    const owner = { instance: pbx, isAlive: async (other: string) => this.#isStill(other, entityId) };
    return acquireLease(this.#options.redis, owner, `entity/${entityId}`);
  }

  #ownClaim(entityId: string): string | undefined {
    for (const [pbx, claim] of this.#claims) if (claim.entityId === entityId) return pbx;
    return undefined;
  }

  /** It may be gone, or another Asterisk by now. */
  #isStill(owner: string, entityId: string): boolean {
    if (!this.#options.isConfigured(owner)) return false;
    const known = this.#claims.get(owner)?.entityId;
    return known === undefined || known === entityId;
  }
}

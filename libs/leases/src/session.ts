import type { LeaseRedis } from './connection.ts';

export interface SessionOptions {
  /** Sessions of one kind know of each other. */
  kind: 'gateway' | 'worker';
  /** Unique to this start of this process. */
  instance: string;
  /** Others may take our leases this long after our last renewal, milliseconds. */
  ttlMs: number;
  /** Told after each renewal: when it was sent, `performance.now()`; nobody takes our leases for silence before `ttlMs` later. */
  onRenewed?: ((sentAt: number) => void) | undefined;
  /** Told after each renewal: the instances of our kind that are alive, ourselves included, sorted. */
  onAlive?: ((instances: readonly string[]) => void) | undefined;
  /** Redis had forgotten us: it came back empty, or we were silent too long. What we hold must be asserted again. */
  onForgotten?: (() => void) | undefined;
  /** A renewal failed; the next one is tried as planned. */
  onRenewalFailed: (error: unknown) => void;
}

export const keyOf = (kind: SessionOptions['kind']) => `cf:session:${kind}`;

/** Whether a process's session has not run out. */
export async function isSessionAlive(
  redis: LeaseRedis,
  kind: SessionOptions['kind'],
  instance: string,
): Promise<boolean> {
  return (await redis.isSessionAlive(keyOf(kind), instance)) === 1;
}

/** A process's sign of life in Redis. Renewed once per process, however many leases it has. */
export class Session {
  readonly instance: string;
  readonly #redis: LeaseRedis;
  readonly #options: SessionOptions;
  readonly #key: string;
  readonly #timer: NodeJS.Timeout;
  #hasBegun = false;

  private constructor(redis: LeaseRedis, options: SessionOptions) {
    this.instance = options.instance;
    this.#redis = redis;
    this.#options = options;
    this.#key = keyOf(options.kind);
    this.#timer = setInterval(() => void this.#tryRenew(), options.ttlMs / 5);
  }

  static async start(redis: LeaseRedis, options: SessionOptions): Promise<Session> {
    const session = new Session(redis, options);
    try {
      await session.renew();
    } catch (error) {
      clearInterval(session.#timer);
      throw error;
    }
    return session;
  }

  isAlive(instance: string): Promise<boolean> {
    return isSessionAlive(this.#redis, this.#options.kind, instance);
  }

  /** Done five times in a `ttlMs` anyway. @throws what Redis refuses it with */
  async renew(): Promise<void> {
    const sentAt = performance.now();
    const begins = this.#hasBegun ? 0 : 1;
    const [isAlive, alive] = await this.#redis.renewSession(this.#key, this.instance, this.#options.ttlMs, begins);
    if (isAlive === 0) {
      this.#hasBegun = false;
      this.#options.onForgotten?.();
      return this.renew();
    }
    this.#hasBegun = true;
    this.#options.onRenewed?.(sentAt);
    this.#options.onAlive?.(alive);
  }

  /** Says goodbye: others need not wait until it runs out. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#redis.zrem(this.#key, this.instance);
  }

  async #tryRenew(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      this.#options.onRenewalFailed(error);
    }
  }
}

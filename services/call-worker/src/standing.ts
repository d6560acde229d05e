import { setTimeout as wait } from 'node:timers/promises';

export interface StandingOptions {
  /** Others may take our calls this long after we were last known to live, milliseconds. */
  readonly ttlMs: number;
  /** Monotonic, milliseconds: `performance.now()`. It goes on while the process is stopped. */
  readonly now: () => number;
  /** Makes ours certain again what is ours, and lets go what is not. Rejects when it can't: it is tried again. */
  readonly reaffirm: () => Promise<void>;
  readonly onChange: (isCertain: boolean) => void;
}

const RETRY_AFTER_MS = 250;

/** This worker was not certain of its calls for longer than a command may take. */
export class NotCertainError extends Error {
  override readonly name = 'NotCertainError';
  readonly code = 'CF_WORKER_NOT_CERTAIN';

  constructor(limitMs: number) {
    super(`this worker could not make sure within ${limitMs} ms that its calls are still its own`);
  }
}

/**
 * Whether this worker can be certain that its calls are still its own. Others may take them when neither Redis nor NATS has
 * heard of it for a session's life; so each proof that one of them did is good for a little less. A worker that was suspended,
 * or cut off from both, has lost that certainty: it acts again when it has asked what it still owns.
 */
export class Standing {
  readonly #options: StandingOptions;
  readonly #goodForMs: number;
  #certainUntil: number | undefined;
  #regaining: Promise<void> | undefined;

  constructor(options: StandingOptions) {
    this.#options = options;
    // What is sent in the last moment must be there before anybody else acts, and clocks differ in speed.
    this.#goodForMs = options.ttlMs * 0.8;
  }

  /** Redis or NATS has heard of us; `sentAt` is the time before we sent what they answered. */
  proven(sentAt: number): void {
    // A proof vouches for no gap before it: somebody may have taken a call in it.
    if (this.#certainUntil !== undefined && sentAt >= this.#certainUntil) void this.#regain();
    else if (!this.#regaining) this.#certainUntil = Math.max(this.#certainUntil ?? 0, sentAt + this.#goodForMs);
  }

  /**
   * Resolves when this worker may act, as a rule at once. To be asked right before each send, not earlier: the first thing that
   * runs in a process that was suspended may be the timer that sends.
   *
   * @throws the signal's reason, or NotCertainError after `withinMs`
   */
  async certain(signal: AbortSignal, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    signal.throwIfAborted();
    if (this.#isCertain()) return;
    const limit = Promise.withResolvers<never>();
    const onAbort = () => limit.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = Number.isFinite(withinMs)
      ? setTimeout(() => limit.reject(new NotCertainError(withinMs)), withinMs)
      : undefined;
    try {
      do {
        await Promise.race([this.#regain(), limit.promise]);
        signal.throwIfAborted();
      } while (!this.#isCertain());
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #isCertain(): boolean {
    return !this.#regaining && this.#certainUntil !== undefined && this.#options.now() < this.#certainUntil;
  }

  #regain(): Promise<void> {
    this.#regaining ??= this.#reaffirm().finally(() => {
      this.#regaining = undefined;
    });
    return this.#regaining;
  }

  async #reaffirm(): Promise<void> {
    const { now, reaffirm, onChange } = this.#options;
    onChange(false);
    for (;;) {
      const sentAt = now();
      const isDone = await reaffirm().then(
        () => true,
        () => false,
      );
      if (isDone && now() < sentAt + this.#goodForMs) {
        this.#certainUntil = sentAt + this.#goodForMs;
        onChange(true);
        return;
      }
      await wait(RETRY_AFTER_MS, undefined, { ref: false });
    }
  }
}

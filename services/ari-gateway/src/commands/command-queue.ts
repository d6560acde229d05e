import { AsyncLocalStorage } from 'node:async_hooks';
import { CommandRefusedError } from './command-refused-error.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface CommandQueueLimits {
  /** Under way at once. */
  readonly concurrent: number;
  /** Waiting at once: one more is refused. */
  readonly queued: number;
  /** None: as many a second as there are. */
  readonly rate?: TokenBucket;
}

interface Waiting<About> {
  readonly about: About;
  start(): void;
  refuse(error: CommandRefusedError): void;
}

/** Starts what comes in the order in which it came, as fast as the limits let it. */
export class CommandQueue<About> {
  readonly #limits: CommandQueueLimits;
  readonly #now: () => number;
  readonly #waiting = new Set<Waiting<About>>();
  #underWay = 0;
  #nextToken: NodeJS.Timeout | undefined;

  /** @param now milliseconds, never going back */
  constructor(limits: CommandQueueLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /**
   * @param start is told what is left of the time limit, milliseconds
   * @throws CommandRefusedError `CF_PBX_BUSY`: never started, since the queue was full or the time limit ran out in it
   */
  run<T>(about: About, timeoutMs: number, start: (leftMs: number) => Promise<T>): Promise<T> {
    if (this.#waiting.size === 0 && this.#mayStart()) return this.#start(() => start(timeoutMs));
    const { queued } = this.#limits;
    if (this.#waiting.size >= queued)
      return Promise.reject(new CommandRefusedError('CF_PBX_BUSY', `${queued} commands wait for this PBX already`));
    const since = this.#now();
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting<About> = {
        about,
        // In the trace of who asked for it: its turn comes as another command ends, in that one's.
        start: AsyncLocalStorage.bind(() => {
          leave();
          const leftMs = Math.max(1, timeoutMs - (this.#now() - since));
          resolve(this.#start(() => start(leftMs)));
        }),
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(
        () => waiting.refuse(new CommandRefusedError('CF_PBX_BUSY', `it waited ${timeoutMs} ms for its turn`)),
        timeoutMs,
      );
      this.#waiting.add(waiting);
      this.#awaitToken();
    });
  }

  /** Refuses those that wait and that it is true of. */
  refuse(isMeant: (about: About) => boolean, error: CommandRefusedError): void {
    for (const waiting of this.#waiting) if (isMeant(waiting.about)) waiting.refuse(error);
  }

  /** Takes a token where it says yes. */
  #mayStart(): boolean {
    return this.#underWay < this.#limits.concurrent && (this.#limits.rate?.take() ?? true);
  }

  async #start<T>(start: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await start();
    } finally {
      this.#underWay -= 1;
      this.#advance();
    }
  }

  #advance(): void {
    for (const waiting of this.#waiting) {
      if (!this.#mayStart()) break;
      waiting.start();
    }
    this.#awaitToken();
  }

  /** Those under way wake the queue when they end; what waits only for the rate is woken by the next token. */
  #awaitToken(): void {
    const { rate, concurrent } = this.#limits;
    if (!rate || this.#nextToken || this.#waiting.size === 0 || this.#underWay >= concurrent) return;
    this.#nextToken = setTimeout(() => {
      this.#nextToken = undefined;
      this.#advance();
    }, Math.ceil(rate.nextInMs));
  }
}

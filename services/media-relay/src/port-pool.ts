import { RelayError } from './errors.ts';

export interface PortPoolOptions {
  /** First and last port, inclusive. */
  portMin: number;
  portMax: number;
  /** A port that was given back is not given out again for so long, milliseconds. */
  portRestMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/**
 * The even ports of a range (RFC 3550, section 11: the odd one above each is RTCP's). They go round, and each rests after its
 * use: a PBX that has not noticed yet that a call is over would else send it to the next one, and a caller hear a stranger.
 */
export class PortPool {
  readonly #restMs: number;
  readonly #now: () => number;
  readonly #range: string;
  /** The one that is free for longest comes first. */
  readonly #free: Array<{ port: number; restedAt: number }> = [];

  constructor(options: PortPoolOptions) {
    this.#restMs = options.portRestMs;
    this.#now = options.now;
    this.#range = `${options.portMin}-${options.portMax}`;
    for (let port = options.portMin + (options.portMin % 2); port <= options.portMax; port += 2)
      this.#free.push({ port, restedAt: Number.NEGATIVE_INFINITY });
  }

  /** @throws RelayError CF_RELAY_PORTS_EXHAUSTED */
  take(): number {
    const first = this.#free[0];
    if (!first || first.restedAt > this.#now())
      throw new RelayError(
        'CF_RELAY_PORTS_EXHAUSTED',
        `no port of relay.rtp ${this.#range} is free: ${this.#free.length} rest after a call, all others are in use`,
      );
    this.#free.shift();
    return first.port;
  }

  giveBack(port: number): void {
    this.#free.push({ port, restedAt: this.#now() + this.#restMs });
  }
}

import { EventEmitter } from 'node:events';
import type { AriResponse } from '@callfleet/ari';
import type { Config } from '@callfleet/config';
import CircuitBreaker from 'opossum';
import type { LoopLateness } from '../async/loop-lateness.ts';
import type { CommandClass } from '../names/command-class.ts';
import { isConnectionLost, isFailure, isTimeout, type Outcome, outcomeOf } from './command-outcome.ts';

export interface PbxBreakerOptions {
  readonly settings: Config['gateway']['breaker'];
  readonly commandClass: CommandClass;
  readonly loop: Pick<LoopLateness, 'since'>;
  /** What is tried instead of a caller's command, to see whether the PBX is well again. */
  readonly ping: () => Promise<AriResponse<unknown>>;
  /** The PBX failed a command. */
  readonly onFailure: () => void;
  readonly onOpened: () => void;
  readonly onClosed: () => void;
}

type Send = () => Promise<AriResponse<unknown>>;

/** The window is made of so many slices; the oldest is forgotten when a new one begins. */
const SLICES = 10;

/** An opossum for one class of commands of one PBX: while it is open, nothing of that class is sent but a ping. */
export class PbxBreaker {
  readonly #options: PbxBreakerOptions;
  readonly #circuit: CircuitBreaker<[Send], Outcome>;
  readonly #window = new EventEmitter();
  readonly #rotation: NodeJS.Timeout;
  /** Times that it was closed. What was sent before that says nothing of the PBX as it is now. */
  #recoveries = 0;
  /** Connections that closed on commands. One takes all with it that are under way on it, or the network does: that counts once. */
  #losses = 0;

  constructor(options: PbxBreakerOptions) {
    this.#options = options;
    const { errorThresholdPercent, volume, windowMs, halfOpenAfterMs } = options.settings;
    const circuit = new CircuitBreaker<[Send], Outcome>((send) => this.#outcome(send), {
      // Each request has a time limit of its own.
      timeout: false,
      errorThresholdPercentage: errorThresholdPercent,
      volumeThreshold: volume,
      resetTimeout: halfOpenAfterMs,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: SLICES,
      rotateBucketController: this.#window,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    });
    this.#circuit = circuit;
    this.#rotation = setInterval(() => this.#window.emit('rotate'), windowMs / SLICES).unref();
    let isOpen = false;
    circuit.on('open', () => {
      if (!isOpen) options.onOpened();
      isOpen = true;
    });
    // In the same turn, so that opossum's one trial is ours and not a caller's.
    circuit.on('halfOpen', () => void circuit.fire(options.ping).catch(() => {}));
    circuit.on('close', () => {
      isOpen = false;
      this.#recoveries += 1;
      // Else the failures from before would open it again at the first new one.
      for (let slice = 0; slice < SLICES; slice++) this.#window.emit('rotate');
      options.onClosed();
    });
  }

  get isOpen(): boolean {
    return !this.#circuit.closed;
  }

  /** @returns what `send` does; only to be called while it is not open */
  async through<T>(send: () => Promise<AriResponse<T>>): Promise<AriResponse<T>> {
    const outcome = await this.#circuit.fire(send).catch((error: unknown) => {
      if (error instanceof PbxFailure) return error.outcome;
      throw error;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.response as AriResponse<T>;
  }

  open(): void {
    this.#circuit.open();
  }

  close(): void {
    clearInterval(this.#rotation);
    this.#circuit.shutdown();
  }

  async #outcome(send: Send): Promise<Outcome> {
    const recoveries = this.#recoveries;
    const losses = this.#losses;
    const wasLate = this.#options.loop.since();
    const outcome = await outcomeOf(send());
    if (!isFailure(outcome, this.#options.commandClass)) return outcome;
    if (recoveries !== this.#recoveries && !this.isOpen) return outcome;
    // It says nothing of the PBX: what is open stays so, and what is not stays so.
    const isOfOneCounted = isConnectionLost(outcome) && losses !== this.#losses;
    const isTelling = !(isTimeout(outcome) && wasLate()) && !isOfOneCounted;
    if (!isTelling && !this.isOpen) return outcome;
    if (isTelling) this.#options.onFailure();
    if (isTelling && isConnectionLost(outcome)) this.#losses += 1;
    throw new PbxFailure(outcome);
  }
}

class PbxFailure extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('the PBX failed a command');
    this.outcome = outcome;
  }
}

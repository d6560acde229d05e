import type { TimeSource } from '@callfleet/media';
import type { Playout } from './provider.ts';

export interface InterruptionLimits {
  readonly enabled: boolean;
  /** Of each answer, milliseconds. */
  readonly protectMs: number;
  readonly coolDownMs: number;
}

/** When in its answers the bot may be cut, whatever the caller does: not in the beginning of each, and not again so soon. */
export class InterruptionTimes {
  readonly #limits: InterruptionLimits;
  readonly #time: TimeSource;
  readonly #playout: Playout;
  /** Where in all that is played the answers begin that are not over, milliseconds; the first is being said. */
  #answersAtMs: number[] = [];
  #answer: string | undefined;
  #notBeforeMs = 0;

  constructor(limits: InterruptionLimits, time: TimeSource, playout: Playout) {
    this.#limits = limits;
    this.#time = time;
    this.#playout = playout;
  }

  get mayInterrupt(): boolean {
    const { enabled, protectMs } = this.#limits;
    if (!enabled || this.#time.now() < this.#notBeforeMs) return false;
    this.#forgetHeard();
    const [beganAtMs] = this.#answersAtMs;
    return beganAtMs === undefined || this.#playout.playedMs - beganAtMs >= protectMs;
  }

  /**
   * Some of this answer comes, and is about to be queued.
   *
   * @param hasCallerSpoken since the last answer began. Some AIs do not say where their answers end.
   * @returns whether it is the first of its answer
   */
  onAudio(answer: string, hasCallerSpoken: boolean): boolean {
    const { queuedMs, playedMs } = this.#playout;
    if (answer === this.#answer && (queuedMs > 0 || !hasCallerSpoken)) return false;
    this.#answer = answer;
    this.#answersAtMs.push(playedMs + queuedMs);
    this.#forgetHeard();
    return true;
  }

  /** The bot was cut; of what it said, so much was not heard. */
  onCut(unplayedMs: number): void {
    this.#answersAtMs = [];
    if (unplayedMs > 0) this.#notBeforeMs = this.#time.now() + this.#limits.coolDownMs;
  }

  /** An answer is over when the next one is heard. */
  #forgetHeard(): void {
    const { playedMs } = this.#playout;
    while ((this.#answersAtMs[1] ?? Number.POSITIVE_INFINITY) <= playedMs) this.#answersAtMs.shift();
  }
}

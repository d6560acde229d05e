import { setTimeout as wait } from 'node:timers/promises';
import type { OfferInHand, OfferQueue } from '@callfleet/bus';
import type { Admission, Logger } from '@callfleet/telemetry';
import { pulledOffers } from './metrics.ts';
import { Room } from './room.ts';

export interface OfferIntakeOptions {
  /** New calls: any worker of the pool may have them. */
  readonly newCalls: OfferQueue;
  /** Calls that lost their worker, for each program version that this one has. */
  readonly takeovers: readonly OfferQueue[];
  /** Calls at once. */
  readonly maxCalls: number;
  readonly admission: Admission;
  /** Takes one. Its place is free again when it resolves; it must not reject. */
  readonly take: (inHand: OfferInHand) => Promise<void>;
  readonly log: Logger;
}

/**
 * When a full worker has room again, calls that lost theirs have so much time to take it before new ones: longer than what
 * was given back rests.
 */
const HEAD_START_MS = 50;
const RETRY_AFTER_MS = 250;

/** Pulls offers from several queues at once, never more than there is room for; those of takeovers first. */
export class OfferIntake {
  readonly #options: OfferIntakeOptions;
  readonly #room: Room;
  #canPull = true;

  constructor(options: OfferIntakeOptions) {
    this.#options = options;
    this.#room = new Room(options.maxCalls);
  }

  /** Why it takes no offers now; undefined while it does. */
  whyTakesNone(): string | undefined {
    if (!this.#options.admission.isOpen) return 'its event loops are late';
    if (this.#room.free === 0) return 'it has as many calls as it may';
    return this.#canPull ? undefined : 'they can not be pulled';
  }

  /** Until `stopping`. */
  async run(stopping: AbortSignal): Promise<void> {
    const { newCalls, takeovers } = this.#options;
    await Promise.all([
      ...takeovers.map((queue) => this.#takeFrom(queue, 'takeovers', stopping)),
      this.#takeFrom(newCalls, 'new', stopping),
    ]);
  }

  async #takeFrom(queue: OfferQueue, kind: 'takeovers' | 'new', stopping: AbortSignal): Promise<void> {
    const { admission } = this.#options;
    const stopped = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }));
    while (!stopping.aborted)
      try {
        if (!admission.isOpen) await Promise.race([admission.opened(), stopped]);
        else if (this.#room.free > 0) {
          await this.#pull(queue, kind, stopping);
          this.#canPull = true;
        } else {
          await Promise.race([this.#room.freed, stopped]);
          if (kind === 'new') await wait(HEAD_START_MS);
        }
      } catch (error) {
        this.#canPull = false;
        this.#options.log.warn({ err: error }, 'offers.pull-failed');
        await wait(RETRY_AFTER_MS);
      }
  }

  /** Each queue is asked for as much as there is room for, so together they may bring more: that is given back. */
  async #pull(queue: OfferQueue, kind: 'takeovers' | 'new', stopping: AbortSignal): Promise<void> {
    const { admission } = this.#options;
    const { full, free } = this.#room;
    for await (const inHand of queue.pull(free)) {
      // A new call that was asked for before the room was full must not have the place that is freed since.
      const isLate = stopping.aborted || !admission.isOpen || (kind === 'new' && full.aborted);
      if (isLate || !this.#room.take()) giveBack(inHand);
      else void this.#options.take(inHand).finally(() => this.#room.leave());
    }
  }
}

/** Others may have it. */
export function giveBack(inHand: OfferInHand): void {
  pulledOffers.count('given-back');
  inHand.giveBack();
}

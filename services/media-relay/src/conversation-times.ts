import type { SessionEvent } from './media-session.ts';

/** A stretch or an instant of a conversation; milliseconds on its session's clock. */
export type Moment =
  /** The caller spoke. */
  | { readonly type: 'listen'; readonly startMs: number; readonly endMs: number }
  /** The caller had stopped, and the bot had not begun: the turn latency. */
  | { readonly type: 'think'; readonly startMs: number; readonly endMs: number }
  /** The bot spoke; `interrupted` by the caller at its end. */
  | { readonly type: 'speak'; readonly startMs: number; readonly endMs: number; readonly interrupted: boolean }
  /** The caller cut the bot short. `tookMs`: from the first of his speech to the bot's silence, where that is known. */
  | {
      readonly type: 'barge-in';
      readonly atMs: number;
      readonly tookMs: number | undefined;
      readonly unplayedMs: number;
    };

/** More than anybody remembers to have said while one answer was played. */
const MOST_STOPS = 50;
/** A turn is told as ended when the bot was cut, or a moment later. */
const CUT_WITHIN_MS = 100;

/** Reads from what a session tells when its caller and its bot spoke. A bot's turn is told when the next thing is: whether it was cut comes after it. */
export class ConversationTimes {
  /** When the caller stopped speaking, in order. */
  #stops: number[] = [];
  #speakingSince: number | undefined;
  #cutAt: number | undefined;
  /** Told, but not yet when the caller began. */
  #cut: { readonly atMs: number; readonly unplayedMs: number } | undefined;
  #botTurn: { readonly startMs: number; readonly endMs: number } | undefined;

  take(event: SessionEvent): Moment[] {
    if (event.type === 'speech-started') this.#speakingSince = event.atMs;
    return [...this.#bargedIn(), ...this.#take(event)];
  }

  #take(event: SessionEvent): Moment[] {
    switch (event.type) {
      case 'speech-stopped':
        this.#speakingSince = undefined;
        this.#stop(event.atMs);
        return [];
      case 'interrupted': {
        const { atMs, unplayedMs } = event;
        this.#cutAt = atMs;
        this.#cut = { atMs, unplayedMs };
        // Some say that the caller speaks when they have silenced the bot.
        return this.#speakingSince === undefined ? [] : this.#bargedIn();
      }
      case 'turn': {
        const { startMs, endMs } = event;
        const before = this.#spoken();
        if (event.role === 'caller') {
          this.#stop(endMs);
          return [...before, { type: 'listen', startMs, endMs }];
        }
        this.#botTurn = { startMs, endMs };
        return [...before, ...this.#thought(startMs)];
      }
      case 'ended':
        return this.#spoken();
      default:
        return [];
    }
  }

  #bargedIn(): Moment[] {
    if (!this.#cut) return [];
    const { atMs, unplayedMs } = this.#cut;
    const since = this.#speakingSince;
    this.#cut = undefined;
    return [
      { type: 'barge-in', atMs, tookMs: since === undefined ? undefined : Math.max(0, atMs - since), unplayedMs },
    ];
  }

  #stop(atMs: number): void {
    this.#stops.push(atMs);
    if (this.#stops.length > MOST_STOPS) this.#stops.shift();
  }

  /** The bot began to speak: how long after the last time that the caller had stopped, if that is not answered yet. */
  #thought(startMs: number): Moment[] {
    const stoppedMs = this.#stops.findLast((atMs) => atMs <= startMs);
    this.#stops = this.#stops.filter((atMs) => atMs > startMs);
    return stoppedMs === undefined ? [] : [{ type: 'think', startMs: stoppedMs, endMs: startMs }];
  }

  #spoken(): Moment[] {
    const { startMs, endMs } = this.#botTurn ?? {};
    this.#botTurn = undefined;
    if (startMs === undefined || endMs === undefined) return [];
    const cutAt = this.#cutAt ?? Number.NEGATIVE_INFINITY;
    return [{ type: 'speak', startMs, endMs, interrupted: cutAt >= startMs && cutAt <= endMs + CUT_WITHIN_MS }];
  }
}

import { FRAME_MS } from './format.ts';
import { PacingError } from './pacing-error.ts';

/** Where time comes from: the process's in a service, a simulated one in tests. */
export interface TimeSource {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Calls back once, about `ms` from now, and not from inside this call. @returns cancels it */
  after(ms: number, callback: () => void): () => void;
  /**
   * Does what is due and waits for the event loop. To be called before each piece of work of which many come at once: a
   * hundred packets are read before the next timer runs. Undefined: nothing is that urgent.
   */
  doDue?(): void;
}

/** `skipped`: frames that fell out since the last call, because the process stood still for longer than is caught up. */
export type Tick = (skipped: number) => void;

interface Slot {
  /** When its next frame is due; grows by whole frames only, so nothing drifts. */
  dueAt: number;
  skipped: number;
  readonly ticks: Set<Tick>;
}

/** A timer that fires this early is taken as in time, milliseconds: waiting again would cost a whole millisecond. */
const EARLY_MS = 0.5;

/** After standing still, so much is sent at once, milliseconds; what is older falls out. */
const CATCH_UP_MS = 100;

/** Sessions are spread over so many instants within a frame, so that the last of many does not wait for all others. */
const SLOTS = 4;

/**
 * The one clock that paces all sessions of a thread: calls each every 20 ms, on an absolute grid. A timer per
 * session drifts (`setInterval` is late each time and never makes up for it) and costs a wake-up for each.
 *
 * A late wake-up serves all frames that became due, at most {@link CATCH_UP_MS} of them, and tells of the others.
 */
export class PacingClock {
  readonly #time: TimeSource;
  readonly #onError: (error: unknown) => void;
  readonly #slots: Slot[] = [];
  readonly error = new PacingError();
  #cancelTimer: (() => void) | undefined;
  #nextAt = Number.POSITIVE_INFINITY;
  #skippedFrames = 0;
  readonly #startedAt: number;

  /** @param onError told what a session's tick threw; the others are served all the same */
  constructor(time: TimeSource, onError: (error: unknown) => void) {
    this.#time = time;
    this.#onError = onError;
    this.#startedAt = time.now();
    for (let i = 0; i < SLOTS; i += 1) this.#slots.push({ dueAt: 0, skipped: 0, ticks: new Set() });
  }

  /** Frames, summed over sessions' slots, that fell out because the process stood still. */
  get skippedFrames(): number {
    return this.#skippedFrames;
  }

  /** Calls `tick` every 20 ms from now on. @returns stops it */
  add(tick: Tick): () => void {
    const slot = this.#emptiest();
    if (slot.ticks.size === 0) {
      slot.dueAt = this.#nextOnGrid(this.#slots.indexOf(slot));
      slot.skipped = 0;
    }
    slot.ticks.add(tick);
    this.#schedule();
    return () => {
      slot.ticks.delete(tick);
      this.#schedule();
    };
  }

  /** Serves what is due already, before its timer comes to its turn. */
  catchUp(): void {
    if (this.#time.now() < this.#nextAt) return;
    this.#wake();
    this.#schedule();
  }

  #emptiest(): Slot {
    return this.#slots.reduce((best, slot) => (slot.ticks.size < best.ticks.size ? slot : best));
  }

  #nextOnGrid(index: number): number {
    const first = this.#startedAt + (index * FRAME_MS) / SLOTS;
    const frames = Math.floor((this.#time.now() - first) / FRAME_MS) + 1;
    return first + frames * FRAME_MS;
  }

  /** Sets the timer for the slot that is due first; for none if nobody is here. */
  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots) if (slot.ticks.size > 0 && slot.dueAt < next) next = slot.dueAt;
    this.#nextAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#time.after(Math.max(0, next - this.#time.now()), () => {
      this.#wake();
      this.#schedule();
    });
  }

  #wake(): void {
    const now = this.#time.now();
    for (const slot of this.#slots) {
      if (slot.ticks.size === 0) continue;
      this.#dropWhatIsTooOld(slot, now);
      while (slot.dueAt <= now + EARLY_MS) this.#serve(slot);
    }
  }

  #dropWhatIsTooOld(slot: Slot, now: number): void {
    const tooOld = Math.floor((now - slot.dueAt - CATCH_UP_MS) / FRAME_MS) + 1;
    if (tooOld <= 0) return;
    slot.dueAt += tooOld * FRAME_MS;
    slot.skipped += tooOld;
    this.#skippedFrames += tooOld;
  }

  #serve(slot: Slot): void {
    const { skipped } = slot;
    slot.skipped = 0;
    for (const tick of slot.ticks) {
      try {
        tick(skipped);
      } catch (error) {
        this.#onError(error);
      }
    }
    this.error.add(this.#time.now() - slot.dueAt);
    slot.dueAt += FRAME_MS;
  }
}

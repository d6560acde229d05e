import { type AudioFormat, bytesOfMs, msOfBytes } from '@callfleet/media';
import type { Playout } from './provider.ts';

/** As much as waits to be played at most, milliseconds. */
const MAX_HELD_MS = 120_000;

/** A bot's voice that can be stopped, and go on with what was not heard. Stopped, all that comes waits. */
export class HeldPlayout implements Playout {
  readonly #format: AudioFormat;
  readonly #playout: Playout;
  /** What was queued last, of which some may not have been played. */
  #queued: Uint8Array[] = [];
  #queuedBytes = 0;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(format: AudioFormat, playout: Playout) {
    this.#format = format;
    this.#playout = playout;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  get queuedMs(): number {
    return this.#playout.queuedMs + msOfBytes(this.#format, this.#heldBytes);
  }

  get playedMs(): number {
    return this.#playout.playedMs;
  }

  play(chunk: Uint8Array): void {
    if (this.#held) {
      const room = bytesOfMs(this.#format, MAX_HELD_MS) - this.#heldBytes;
      const taken = chunk.subarray(0, Math.max(0, room));
      this.#held.push(taken);
      this.#heldBytes += taken.length;
      return;
    }
    const before = this.#playout.queuedMs;
    this.#playout.play(chunk);
    // A queue that is full has not taken all of it.
    this.#keep(chunk.subarray(0, bytesOfMs(this.#format, this.#playout.queuedMs - before)));
  }

  flush(): number {
    const unplayedMs = this.#playout.flush() + msOfBytes(this.#format, this.#heldBytes);
    this.#forget();
    this.#held = undefined;
    this.#heldBytes = 0;
    return unplayedMs;
  }

  /** The bot is silent at once. */
  hold(): void {
    if (this.#held) return;
    const unplayed = bytesOfMs(this.#format, this.#playout.flush());
    const queued = Buffer.concat(this.#queued);
    this.#held = [queued.subarray(Math.max(0, queued.length - unplayed))];
    this.#heldBytes = Math.min(unplayed, queued.length);
    this.#forget();
  }

  /** It goes on where it was stopped. */
  goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const chunk of held) if (chunk.length > 0) this.play(chunk);
  }

  #keep(chunk: Uint8Array): void {
    this.#queued.push(chunk);
    this.#queuedBytes += chunk.length;
    const needed = bytesOfMs(this.#format, this.#playout.queuedMs);
    for (let first = this.#queued[0]; first && this.#queuedBytes - first.length >= needed; first = this.#queued[0]) {
      this.#queued.shift();
      this.#queuedBytes -= first.length;
    }
  }

  #forget(): void {
    this.#queued = [];
    this.#queuedBytes = 0;
  }
}

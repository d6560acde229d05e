import { type AudioFormat, bytesOfMs, msOfBytes } from './format.ts';

/**
 * Audio that waits to be played, taken out in frames of 20 ms.
 *
 * A voice AI sends faster than real time, in chunks of any size, so this holds seconds. Its bound is in milliseconds; what
 * comes when it is full is dropped and counted, since to drop what is older would cut the sentence being spoken.
 */
export class PlayoutBuffer {
  readonly #format: AudioFormat;
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  /** Where the first chunk's unplayed part begins. */
  #offset = 0;
  #queued = 0;
  #played = 0;
  #overflowed = 0;

  /** @param options.maxMs bound; default two minutes, longer than any turn of a bot */
  constructor(format: AudioFormat, options: { maxMs?: number } = {}) {
    this.#format = format;
    this.#maxBytes = bytesOfMs(format, options.maxMs ?? 120_000);
  }

  get queuedMs(): number {
    return msOfBytes(this.#format, this.#queued);
  }

  /** Audio that was taken out to be played; silence between is not counted. */
  get playedMs(): number {
    return msOfBytes(this.#format, this.#played);
  }

  /** Audio that was dropped because the buffer was full. */
  get overflowedMs(): number {
    return msOfBytes(this.#format, this.#overflowed);
  }

  /** Keeps `chunk` itself, not a copy: it must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    const room = this.#maxBytes - this.#queued;
    const taken = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#overflowed += chunk.length - taken.length;
    if (taken.length === 0) return;
    this.#chunks.push(taken);
    this.#queued += taken.length;
  }

  /** Fills `frame` with what comes next and the rest of it with silence. False: it is all silence. */
  takeInto(frame: Uint8Array): boolean {
    let filled = 0;
    let used = 0;
    while (filled < frame.length && used < this.#chunks.length) {
      const chunk = this.#chunks[used] as Uint8Array;
      const part = Math.min(frame.length - filled, chunk.length - this.#offset);
      frame.set(part === chunk.length ? chunk : chunk.subarray(this.#offset, this.#offset + part), filled);
      filled += part;
      this.#offset += part;
      if (this.#offset < chunk.length) break;
      used += 1;
      this.#offset = 0;
    }
    if (used === 1) this.#chunks.shift();
    else if (used > 1) this.#chunks.splice(0, used);
    this.#queued -= filled;
    this.#played += filled;
    if (filled < frame.length) frame.fill(this.#format.silenceByte, filled);
    return filled > 0;
  }

  /** Forgets all that waits, for a caller who interrupts. @returns how many milliseconds that was */
  flush(): number {
    const dropped = this.queuedMs;
    this.#chunks = [];
    this.#offset = 0;
    this.#queued = 0;
    return dropped;
  }
}

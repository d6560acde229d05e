import { BLOCK_BYTES, giveBlock, takeBlock } from './audio-blocks.ts';
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
  #blocks: Uint8Array[] = [];
  /** Where in the first block what is not played begins, and where in the last one it ends. */
  #start = 0;
  #end = BLOCK_BYTES;
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

  /** Copies what there is room for. */
  push(chunk: Uint8Array): void {
    const taken = Math.min(chunk.length, this.#maxBytes - this.#queued);
    this.#overflowed += chunk.length - taken;
    this.#queued += taken;
    for (let from = 0; from < taken; ) {
      if (this.#end === BLOCK_BYTES) {
        this.#blocks.push(takeBlock());
        this.#end = 0;
      }
      const part = Math.min(taken - from, BLOCK_BYTES - this.#end);
      this.#blocks
        .at(-1)
        ?.set(from === 0 && part === chunk.length ? chunk : chunk.subarray(from, from + part), this.#end);
      from += part;
      this.#end += part;
    }
  }

  /** Fills `frame` with what comes next and the rest of it with silence. False: it is all silence. */
  takeInto(frame: Uint8Array): boolean {
    const taken = Math.min(frame.length, this.#queued);
    for (let to = 0; to < taken; ) {
      const block = this.#blocks[0] as Uint8Array;
      const part = Math.min(taken - to, BLOCK_BYTES - this.#start);
      frame.set(block.subarray(this.#start, this.#start + part), to);
      to += part;
      this.#start += part;
      if (this.#start === BLOCK_BYTES) this.#dropFirst();
    }
    this.#queued -= taken;
    this.#played += taken;
    if (this.#queued === 0) this.#giveBack();
    if (taken < frame.length) frame.fill(this.#format.silenceByte, taken);
    return taken > 0;
  }

  /** Forgets all that waits, for a caller who interrupts. @returns how many milliseconds that was */
  flush(): number {
    const dropped = this.queuedMs;
    this.#queued = 0;
    this.#giveBack();
    return dropped;
  }

  #dropFirst(): void {
    giveBlock(this.#blocks.shift() as Uint8Array);
    this.#start = 0;
  }

  #giveBack(): void {
    for (const block of this.#blocks) giveBlock(block);
    this.#blocks = [];
    this.#start = 0;
    this.#end = BLOCK_BYTES;
  }
}

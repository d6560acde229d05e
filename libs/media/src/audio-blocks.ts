/** Half a second of G.711. */
export const BLOCK_BYTES = 4096;

/** More blocks than that nobody waits for at once; others are garbage. */
const MAX_FREE = 4096;

const free: Uint8Array[] = [];

/**
 * A block of memory for audio that waits. Blocks are used again and again: each buffer that lives for more than a moment is
 * outside of V8's young generation, and enough of those make it mark the whole heap, in which time no packet leaves.
 */
export function takeBlock(): Uint8Array {
  return free.pop() ?? new Uint8Array(BLOCK_BYTES);
}

/** What is in it is left there: whoever takes it next writes before reading. */
export function giveBlock(block: Uint8Array): void {
  if (free.length < MAX_FREE) free.push(block);
}

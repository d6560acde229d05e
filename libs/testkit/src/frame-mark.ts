/** Bytes at the start of a frame that say whose it is: twice a call, and a number. Few enough to be no more than a click in a tone. */
const MARK_BYTES = 5;

/** Silence in any format reads as these: no call has them. */
const NO_CALL = new Set([0xffff, 0xd5d5, 0x0000]);

/** Numbers of frames go round after so many: five minutes and more. */
export const MARKS = 0xffff;

/** @param call below 50,000 */
export function writeMark(frame: Uint8Array, call: number, number: number): void {
  const id = call + 1;
  frame[0] = id >>> 8;
  frame[1] = id;
  frame[2] = number >>> 8;
  frame[3] = number;
  frame[4] = check(frame);
}

/** @returns undefined: a frame without one, as silence */
export function readMark(frame: Uint8Array): { call: number; number: number } | undefined {
  if (frame.length < MARK_BYTES || frame[4] !== check(frame)) return undefined;
  const id = ((frame[0] as number) << 8) | (frame[1] as number);
  if (NO_CALL.has(id)) return undefined;
  return { call: id - 1, number: ((frame[2] as number) << 8) | (frame[3] as number) };
}

function check(frame: Uint8Array): number {
  return ((frame[0] as number) + 3 * (frame[1] as number) + 5 * (frame[2] as number) + 7 * (frame[3] as number)) & 0xff;
}

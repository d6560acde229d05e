import type { Call } from './call.ts';

const PROGRAM = Symbol.for('callfleet.call-program');

/** A call program: what {@link defineCall} makes. */
export interface CallProgram {
  readonly [PROGRAM]: true;
  readonly run: (call: Call) => Promise<void>;
}

/**
 * Makes a call program out of an async function. It is the default export of its file.
 *
 * When the function returns, the call is hung up if it is still there. When it throws, the call goes back to the
 * dialplan with `CALLFLEET_STATUS=PROGRAM_FAILED`, so that it can reach a human queue.
 *
 * @example
 * export default defineCall(async (call) => {
 *   await call.answer();
 *   await call.play('sound:hello-world');
 * });
 */
export function defineCall(run: (call: Call) => Promise<void>): CallProgram {
  return { [PROGRAM]: true, run };
}

/** By a mark, not by class: the program's file may have loaded another copy of this module. */
export function isCallProgram(value: unknown): value is CallProgram {
  return typeof value === 'object' && value !== null && PROGRAM in value;
}

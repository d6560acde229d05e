import { spawnChild } from '@callfleet/supervise';
import { CallError } from './call-error.ts';
import { part } from './parts.ts';
import type { Address } from './sip-message.ts';
import { ownAddress } from './sipp-address.ts';

export interface BurstOptions {
  /** The PBX: an Asterisk's `sipAddress`. */
  readonly to: Address;
  /** What is dialled. */
  readonly extension: string;
  readonly perSecond: number;
  readonly calls: number;
  /** From the answer to the caller's BYE, milliseconds. */
  readonly holdMs: number;
}

/** A call that is not over so long after the last one has begun never will be. */
const REST_MS = 30_000;

/** sipp's exit codes: all calls were completed, or some were not. */
const TOLD = [0, 1];

/**
 * Many calls without sound, at an even rate, by one sipp. Resolves when all are over.
 *
 * @throws {CallError} `CF_CALLER_FAILED` when sipp could not do it
 */
export async function placeBurst({ to, extension, perSecond, calls, holdMs }: BurstOptions): Promise<void> {
  const { command } = await part('sipp');
  const limitMs = (calls / perSecond) * 1000 + holdMs + REST_MS;
  const sipp = await spawnChild({
    name: 'sipp',
    command,
    args: [
      `${to.host}:${to.port}`,
      ...['-sn', 'uac', '-s', extension, '-i', '127.0.0.1', '-nostdin', '-deadcall_wait', '0'],
      ...['-r', String(perSecond), '-m', String(calls), '-l', String(calls), '-d', String(holdMs)],
      ...ownAddress(),
    ],
  });
  const timer = setTimeout(() => sipp.kill(), limitMs);
  const { code, signal } = await sipp.exited;
  clearTimeout(timer);
  if (code !== null && TOLD.includes(code)) return;
  throw new CallError(
    'CF_CALLER_FAILED',
    [`sipp ended with ${signal ?? `code ${code}`}:`, ...sipp.lastLines()].join('\n'),
  );
}

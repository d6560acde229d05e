import { AriClosedError, AriError, type AriResponse, AriTimeoutError } from '@callfleet/ari';
import type { CommandClass } from '../names/command-class.ts';

/** What became of a request: an answer of any status, or what its requester threw. */
export type Outcome<T = unknown> = { readonly response: AriResponse<T> } | { readonly error: unknown };

export function outcomeOf<T>(answer: Promise<AriResponse<T>>): Promise<Outcome<T>> {
  return answer.then(
    (response) => ({ response }),
    (error: unknown) => ({ error }),
  );
}

const FAILURES: ReadonlySet<AriError['code']> = new Set([
  'CF_ARI_UNREACHABLE',
  'CF_ARI_NOT_READY',
  'CF_ARI_TLS',
  'CF_ARI_TIMEOUT',
  'CF_ARI_CLOSED',
  'CF_ARI_UNEXPECTED',
]);

/** No answer in time: whose fault that is, nobody can say when our own event loop was late. */
export function isTimeout(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error instanceof AriTimeoutError;
}

/** Its connection closed before the answer. */
export function isConnectionLost(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error instanceof AriClosedError;
}

/** Whether the PBX is in trouble. What it says of one request (4xx) is none, and neither is what we did not send. */
export function isFailure(outcome: Outcome, commandClass: CommandClass): boolean {
  if ('error' in outcome) return outcome.error instanceof AriError && FAILURES.has(outcome.error.code);
  const { status } = outcome.response;
  // Asterisk has no other answer than 500 for a phone that is not registered.
  if (status === 500 && commandClass === 'originate') return false;
  return status >= 500;
}

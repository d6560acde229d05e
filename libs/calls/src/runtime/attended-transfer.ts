import type { Call } from '../call.ts';
import type { Dialed, TransferOptions, Transferred } from '../dial.ts';
import { LegEndedError } from '../errors.ts';
import type { Leg } from '../party.ts';

/** How long the target may take to accept, milliseconds. */
const ACCEPT_TIMEOUT_MS = 10_000;

/**
 * Calls the target while the caller is on hold, tells it what it is about if it shall know, and joins the two. Made of
 * operations alone, as a program could do it.
 */
export async function attendedTransfer(
  call: Pick<Call, 'hold' | 'unhold' | 'dial' | 'bridge'>,
  target: string | readonly string[],
  options: TransferOptions,
): Promise<Transferred> {
  const { kind = 'attended', announcement, acceptDigit, music, ...dial } = options;
  await call.hold({ music });
  let dialed: Dialed | undefined;
  try {
    dialed = await call.dial(target, dial);
    if (!dialed.answered) {
      await call.unhold();
      return { transferred: false, reason: dialed.reason, attempts: dialed.attempts };
    }
    const { leg, attempts } = dialed;
    if (kind === 'warm' && announcement !== undefined) await leg.play(announcement);
    if (kind === 'warm' && acceptDigit !== undefined && !(await accepts(leg, acceptDigit))) {
      await leg.hangup();
      await call.unhold();
      return { transferred: false, reason: 'declined', attempts };
    }
    await call.unhold();
    const room = await call.bridge(leg);
    return { transferred: true, kind: kind === 'warm' ? 'warm' : 'attended', leg, room };
  } catch (error) {
    if (!(error instanceof LegEndedError) || !dialed) throw error;
    await call.unhold();
    return { transferred: false, reason: 'hung-up', attempts: dialed.attempts };
  }
}

async function accepts(leg: Leg, digit: string): Promise<boolean> {
  const { digits } = await leg.gather({ firstDigitTimeoutMs: ACCEPT_TIMEOUT_MS });
  return digits === digit;
}

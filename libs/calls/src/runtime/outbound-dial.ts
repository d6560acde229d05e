import { channels } from '@callfleet/ari';
import { CALL_CANCELLED, type CallEvent } from '@callfleet/bus';
import type { DialAttempt } from '../dial.ts';
import type { OutboundDial } from './call-host.ts';
import type { CallScope } from './call-scope.ts';
import { Dialing } from './dialing.ts';
import type { Operation } from './operation.ts';

/**
 * The first operation of a call that we place: makes the call's own channel, and lets it ring. It does not need the call: what
 * became of it is known when it is over.
 *
 * @throws PbxUnreachableError, BreakerOpenError, PbxBusyError
 */
export function originate(scope: CallScope, { endpoint, ...dial }: OutboundDial): Promise<DialAttempt> {
  return scope.ask(
    'originate',
    async (operation) => {
      if (scope.events.has(isCancellation)) return { endpoint, outcome: 'cancelled' };
      const dialing = new Dialing({
        scope,
        endpoints: [endpoint],
        channelIds: [scope.caller.id],
        dial,
        // The time to answer goes on while the call changes hands.
        ringsUntil: typeof operation.noted === 'number' ? operation.noted : undefined,
        onRinging: (until) => operation.note(until),
      });
      const { attempts } = await dialing.run(operation);
      return attempts[0] as DialAttempt;
    },
    { needs: 'nothing' },
  );
}

/** Whoever had the call placed wants it no more; the gateway hangs it up. */
export function isCancellation({ type }: CallEvent): boolean {
  return type === CALL_CANCELLED;
}

/** Who did not answer is not called any more, or never was. @returns whether there was anything to hang up */
export async function hangUpOriginated(operation: Operation, scope: CallScope): Promise<boolean> {
  const { status } = await operation.command(channels.hangup({ channelId: scope.caller.id }));
  return status < 400;
}

import type { CallEvent } from '@callfleet/bus';
import type { LegEnd } from '../party.ts';
import type { CallScope } from './call-scope.ts';
import { causeOf, isEndOf } from './channel-events.ts';

/** How long after StasisEnd the event may come that has the cause, milliseconds. */
const CAUSE_LIMIT_MS = 500;

/** How a channel ended, from the first event that told of it. */
export async function endOf(scope: CallScope, channelId: string, end: CallEvent): Promise<LegEnd> {
  const known = causeOf(end);
  if (known) return { cause: known };
  const limit = new AbortController();
  const cancel = scope.host.clock.after(CAUSE_LIMIT_MS, () => limit.abort());
  const isCause = (event: CallEvent) => isEndOf(event, channelId) && causeOf(event) !== undefined;
  const event = await scope.events.first(isCause, limit.signal).catch(() => undefined);
  cancel();
  const cause = event && causeOf(event);
  return cause ? { cause } : {};
}

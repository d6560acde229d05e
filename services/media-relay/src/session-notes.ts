import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import type { SessionEvent } from './media-session.ts';
import { endedSessions } from './metrics.ts';

/** Notes in log and metrics that a session talks, and why it ended. */
export function noteSession(log: Logger, call: CallId, session: string): (event: SessionEvent) => void {
  return (event) => {
    if (event.type === 'started') log.info({ call, session }, 'media.started');
    else if (event.type === 'ended') {
      const { reason, detail, stats } = event;
      endedSessions.count(reason);
      log.info({ call, session, reason, detail, stats }, 'media.ended');
    }
  };
}

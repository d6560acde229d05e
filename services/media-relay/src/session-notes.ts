import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';
import { ConversationTimes } from './conversation-times.ts';
import type { SessionEvent } from './media-session.ts';
import { countAiError, endedSessions, expectErrorsOf, measureBargeIn, measureTurn } from './metrics.ts';
import { SessionTrace } from './session-trace.ts';

/** Notes in log, metrics and trace that a session talks, who spoke when, and why it ended. Made in the trace of the request that opens it. */
export function noteSession(log: Logger, call: CallId, session: string): (event: SessionEvent) => void {
  const times = new ConversationTimes();
  const trace = new SessionTrace(call, session);
  let provider = '';
  return (event) => {
    if (event.type === 'started') {
      provider = event.provider;
      expectErrorsOf(provider);
      log.info({ call, session }, 'media.started');
    }
    for (const moment of times.take(event)) {
      trace.add(moment);
      if (moment.type === 'think') measureTurn(provider, moment.endMs - moment.startMs);
      if (moment.type === 'barge-in' && moment.tookMs !== undefined) measureBargeIn(provider, moment.tookMs);
    }
    trace.note(event);
    if (event.type !== 'ended') return;
    const { reason, detail, code, stats } = event;
    endedSessions.count(reason);
    if (code) countAiError(stats.provider, code);
    log.info({ call, session, reason, detail, code, stats }, 'media.ended');
  };
}

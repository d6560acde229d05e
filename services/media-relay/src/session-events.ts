import type { CallEvent, MediaEnded, MediaStarted, MediaTurn } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { SessionEvent } from './media-session.ts';

export interface SessionEventsOptions {
  relay: string;
  call: CallId;
  session: string;
  publish(event: CallEvent): void;
}

/**
 * Tells a media session's events on its call's subject. Each session is a source of its own and numbers from 1, so that
 * a second session of the same call in the same relay leaves no gap.
 */
export function sessionEvents(options: SessionEventsOptions): (event: SessionEvent) => void {
  const { relay, call, session, publish } = options;
  const source = `${relay}/${session}`;
  let seq = 0;
  return (event) => {
    seq += 1;
    publish({
      id: `${source}#${seq}`,
      call,
      source,
      seq,
      at: new Date().toISOString(),
      type: `media.${event.type}`,
      data: dataOf(event, relay, session),
    });
  };
}

function dataOf(event: SessionEvent, relay: string, session: string): Record<string, unknown> {
  switch (event.type) {
    case 'started':
      return { session, relay, provider: event.provider } satisfies MediaStarted;
    case 'ended': {
      const { reason, detail, stats } = event;
      return { session, relay, reason, ...(detail !== undefined && { detail }), stats } satisfies MediaEnded;
    }
    case 'turn': {
      const { role, text, startMs, endMs } = event;
      return { session, role, text, startMs, endMs } satisfies MediaTurn;
    }
    default: {
      const { type, ...data } = event;
      return { session, ...data };
    }
  }
}

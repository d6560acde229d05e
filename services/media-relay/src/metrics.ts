import { mediaEventSchemas, type RelayAnnouncement } from '@callfleet/bus';
import { meter, Tally } from '@callfleet/telemetry';

export const endedSessions = new Tally(
  'callfleet.relay.sessions.ended',
  { description: 'Media sessions that ended, by why', unit: '{session}', attribute: 'callfleet.reason' },
  mediaEventSchemas.ended.shape.reason.options,
);

export function watchRoom(announcement: () => RelayAnnouncement): void {
  const sessions = meter.createObservableGauge('callfleet.relay.sessions', {
    description: 'Media sessions in this relay',
    unit: '{session}',
  });
  const room = meter.createObservableGauge('callfleet.relay.room', {
    description: 'Media sessions that it would take beside them',
    unit: '{session}',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const now = announcement();
      result.observe(sessions, now.sessions);
      result.observe(room, now.draining ? 0 : now.maxSessions - now.sessions);
    },
    [sessions, room],
  );
}

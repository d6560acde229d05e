import { mediaEventSchemas, type RelayAnnouncement } from '@callfleet/bus';
import { meter, Tally } from '@callfleet/telemetry';

export const endedSessions = new Tally(
  'callfleet.relay.sessions.ended',
  { description: 'Media sessions that ended, by why', unit: '{session}', attribute: 'callfleet.reason' },
  mediaEventSchemas.ended.shape.reason.options,
);

export function watchRoom(relay: { readonly announcement: RelayAnnouncement; readonly isLate: boolean }): void {
  const sessions = meter.createObservableGauge('callfleet.relay.sessions', {
    description: 'Media sessions in this relay',
    unit: '{session}',
  });
  const room = meter.createObservableGauge('callfleet.relay.room', {
    description: 'Media sessions that it would take beside them',
    unit: '{session}',
  });
  const late = meter.createObservableGauge('callfleet.relay.late', {
    description: '1 while others are asked first, since its event loop is late, else 0',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const now = relay.announcement;
      result.observe(sessions, now.sessions);
      result.observe(room, now.draining || now.late ? 0 : now.maxSessions - now.sessions);
      result.observe(late, relay.isLate ? 1 : 0);
    },
    [sessions, room, late],
  );
}

import { fileURLToPath } from 'node:url';
import { type Bus, decodeMessage, relayAnnouncementSchema, subjects } from '@callfleet/bus';
import { type Child, spawnChild } from '@callfleet/supervise';

export interface RelayProcess {
  readonly process: Child;
  /** Its name on the bus. */
  readonly relay: string;
}

/** For tests: a relay in a process of its own, as it is deployed. Nobody else's may be in its zone. */
export async function startRelayProcess(
  bus: Bus,
  zone: string,
  env: Readonly<Record<string, string>>,
): Promise<RelayProcess> {
  const announced = Promise.withResolvers<string>();
  const subscription = bus.nc.subscribe(subjects.relayAnnouncements, {
    callback: (_error, message) => {
      const told = decodeMessage(relayAnnouncementSchema, message.data);
      if (told.zone === zone) announced.resolve(told.relay);
    },
  });
  const child = await spawnChild({
    name: 'media-relay',
    command: process.execPath,
    args: [fileURLToPath(new URL('./main.ts', import.meta.url))],
    env: { ...process.env, CALLFLEET_RELAY__ZONE: zone, ...env },
    ready: { line: (line) => line.includes('service.running') },
    readyTimeoutMs: 30_000,
  });
  const relay = await announced.promise;
  subscription.unsubscribe();
  return { process: child, relay };
}

import { readFileSync } from 'node:fs';
import { AriListener, type DialIn } from '@callfleet/ari';
import type { Config } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';
import type { PbxFleet } from './pbx/pbx-fleet.ts';
import { refusedDialIns } from './telemetry/metrics.ts';

/** Begins to listen for the PBXs of the fleet that dial us. @throws when the address is taken, or TLS has no such files */
export function listen(
  { host, port, tls }: NonNullable<Config['gateway']['listen']>,
  fleet: Pick<PbxFleet, 'dialledIn'>,
  onDialIn: (dialIn: DialIn) => void,
  log: Logger,
): Promise<AriListener> {
  return AriListener.start({
    host,
    port,
    ...(tls && { tls: { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') } }),
    accountAt: (path) => fleet.dialledIn(path)?.config,
    onDialIn,
    onRefused: (reason, from) => {
      refusedDialIns.count(reason);
      log.warn({ reason, from }, 'dial-in.refused');
    },
  });
}

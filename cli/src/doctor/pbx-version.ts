import { readFeatures } from '@callfleet/ari';
import type { Finding } from './finding.ts';
import type { PbxCheck } from './pbx-check.ts';

const OLDEST_MAJOR = 20;

/** What this Asterisk cannot do, or does wrong. */
export const checkVersion: PbxCheck = async ({ about, ari, config }) => {
  const { version, features } = await readFeatures(ari);
  const { text, release } = version;
  const findings: Finding[] = [];
  if (release !== undefined && release[0] < OLDEST_MAJOR)
    findings.push(
      about.warning('version', `${text}: Callfleet is not tested below ${OLDEST_MAJOR}`, 'update to 22.10.1 or newer'),
    );
  if (config.relay.transport === 'websocket' && !features.chanWebSocketJson)
    findings.push(
      about.problem(
        'version',
        `${text} has no chan_websocket with JSON control, which relay.transport "websocket" needs`,
        'update to 20.18, 22.8, 23.2 or newer, or set relay.transport to rtp',
      ),
    );
  if (!features.restOverWebSocket)
    findings.push(
      about.warning(
        'version',
        `${text} has no REST over WebSocket: commands go over plain HTTP, which works, but carries half as many or fewer`,
        'update to 20.14, 22.4, 23.0 or newer',
      ),
    );
  if (release !== undefined && !features.readOnlyEnforced)
    findings.push(
      about.warning(
        'version',
        `${text} lets ARI users that are read-only write (GHSA-wcvv-g26m-wx5c)`,
        'update to 20.20.1, 22.10.1, 23.4.1 or newer; until then give no one a read-only user whom you do not trust',
      ),
    );
  return findings.length > 0 ? findings : [about.ok('version', text)];
};

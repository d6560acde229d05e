import { readFeatures } from '@callfleet/ari';
import { isClassic } from '@callfleet/config';
import type { Finding, Findings } from './finding.ts';
import type { PbxCheck } from './pbx-check.ts';

/** Whether this Asterisk can dial the gateways, and what that may cost. */
export const checkOutbound: PbxCheck = async ({ about, pbx, ari }) => {
  if (isClassic(pbx)) return [];
  const { version, features } = await readFeatures(ari);
  if (!features.outboundWebSocket)
    return [
      about.problem(
        'outbound',
        `${version.text} cannot dial the gateways`,
        'update to 20.15, 22.5, 23.0 or newer, or set mode: classic',
      ),
    ];
  return [crashes(about, version.text)];
};

/** A PBX that can only be seen from where it dials to. */
export function outOfReach(about: Findings): Finding {
  return about.warning(
    'outbound',
    'it dials the gateways, and has no url: nothing of it can be tried from here, nor its version be seen',
    'look at ./callfleet pbxs whether it is connected, and read docs/outbound.md: a gateway that dies may crash it',
  );
}

/** No release is known in which it is mended: that is to be added here when there is one. */
function crashes(about: Findings, version: string): Finding {
  return about.warning(
    'outbound',
    `${version} may crash when a gateway that it has dialled dies (seen on 22.10.1; no release is known to be safe)`,
    'try your build with tests/crash/outbound-websocket.ts, or set mode: classic where gateways can reach the PBX',
  );
}

import { AriError, AriHttp, asterisk } from '@callfleet/ari';
import type { PbxConfig } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';

/**
 * Asks every PBX who it is, before anything is served: a wrong password is the operator's to mend now, not when the
 * first call comes. A PBX that is merely away is no reason not to serve the others.
 *
 * @throws AriError CF_ARI_UNAUTHORIZED
 */
export async function checkCredentials(pbxs: readonly PbxConfig[], timeoutMs: number, log: Logger): Promise<void> {
  await Promise.all(
    pbxs.map(async (pbx) => {
      const http = new AriHttp({ ...pbx, requestTimeoutMs: timeoutMs });
      try {
        await http.request(asterisk.getInfo({}));
      } catch (error) {
        if (!(error instanceof AriError) || error.code === 'CF_ARI_UNAUTHORIZED') throw error;
        log.warn({ pbx: pbx.name, err: error }, 'pbx.unreachable');
      } finally {
        await http.close();
      }
    }),
  );
}

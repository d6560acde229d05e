import { AriError, AriHttp, AriUnauthorizedError, asterisk } from '@callfleet/ari';
import type { ReachablePbx } from '@callfleet/config';
import type { Logger } from '@callfleet/telemetry';

/**
 * Asks every PBX who it is, before anything is served: when all of them refuse the password, it is the operator's to mend now, not
 * when the first call comes. One that refuses it, or is away, is no reason not to serve the others.
 *
 * @throws AriUnauthorizedError
 */
export async function checkCredentials(pbxs: readonly ReachablePbx[], timeoutMs: number, log: Logger): Promise<void> {
  const refusals = await Promise.all(
    pbxs.map(async (pbx) => {
      const http = new AriHttp({ ...pbx, requestTimeoutMs: timeoutMs });
      try {
        await http.request(asterisk.getInfo({}));
        return undefined;
      } catch (error) {
        if (!(error instanceof AriError)) throw error;
        log.warn({ pbx: pbx.name, err: error }, 'pbx.unreachable');
        return error instanceof AriUnauthorizedError ? error : undefined;
      } finally {
        await http.close();
      }
    }),
  );
  const [first] = refusals;
  if (first && refusals.every((refusal) => refusal !== undefined)) throw first;
}

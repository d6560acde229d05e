import { randomUUID } from 'node:crypto';
import { channels, expectOk } from '@callfleet/ari';
import type { PbxCheck } from './pbx-check.ts';

/** Whether the ARI user may write: hangs up a channel that does not exist. */
export const checkWriteAccess: PbxCheck = async ({ about, ari, pbx }) => {
  const answer = await ari.request(channels.hangup({ channelId: `callfleet-doctor-${randomUUID()}` }));
  if (answer.status === 403)
    return [
      about.problem(
        'ari user',
        `"${pbx.username}" is read-only: it can neither answer nor hang up`,
        `read_only=no in [${pbx.username}] of ari.conf, then: asterisk -rx 'module reload res_ari.so'`,
      ),
    ];
  if (answer.status !== 404) expectOk(answer);
  return [about.ok('ari user', 'may write')];
};

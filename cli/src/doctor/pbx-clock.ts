import { asterisk, expectOk } from '@callfleet/ari';
import type { PbxCheck } from './pbx-check.ts';

const LARGEST_SKEW_MS = 2000;

/** Whether the PBX's clock and ours agree: call records and traces put both side by side. */
export const checkClock: PbxCheck = async ({ about, ari }) => {
  const asked = Date.now();
  const { timestamp } = expectOk(await ari.request(asterisk.ping()));
  const answered = Date.now();
  // The answer was made at some time in between, so that much cannot be known.
  const theirs = Date.parse(timestamp);
  const skewMs = Math.max(asked - theirs, theirs - answered, 0);
  if (Number.isNaN(skewMs) || skewMs > LARGEST_SKEW_MS) {
    const direction = theirs < asked ? 'behind' : 'ahead';
    return [
      about.warning(
        'clock',
        `${(skewMs / 1000).toFixed(1)} s ${direction} of this machine's: times in call records and traces will not fit`,
        'run an NTP client (chrony) on both',
      ),
    ];
  }
  return [about.ok('clock', `within ${LARGEST_SKEW_MS / 1000} s of ours`)];
};

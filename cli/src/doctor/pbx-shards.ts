import { applications, expectOk } from '@callfleet/ari';
import type { PbxCheck } from './pbx-check.ts';

/** Whether somebody holds the shards now. Asked over REST: a socket of ours would take them over. */
export const checkShards: PbxCheck = async ({ about, ari, pbx }) => {
  const answers = await Promise.all(
    pbx.shards.map(async (shard) => {
      const answer = await ari.request(applications.get({ applicationName: shard }));
      if (answer.status !== 404) expectOk(answer);
      return { shard, served: answer.ok };
    }),
  );
  const unserved = answers.filter(({ served }) => !served).map(({ shard }) => shard);
  if (unserved.length === 0) return [about.ok('shards', `served: ${pbx.shards.join(', ')}`)];
  if (unserved.length < pbx.shards.length)
    return [
      about.warning(
        'shards',
        `nobody serves ${unserved.join(', ')}`,
        'calls go to the other shards; start another gateway, or look for shard.unreachable in the log of the one that should hold it',
      ),
    ];
  return [
    about.warning(
      'shards',
      `nobody serves ${unserved.join(', ')}: calls go to the fallback of the dialplan`,
      'start the gateways (./callfleet up). If they run: does their configuration name these shards, and does the dialplan call Stasis() with the same names?',
    ),
  ];
};

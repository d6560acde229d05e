import type { LocalFleet } from '@callfleet/testkit';

/** What a person needs to call the demo: with sipp, with a softphone, and to look inside. */
export function howToCall({ pbxs, nats, redis, configFile }: LocalFleet, provider?: 'local'): string {
  const phones = pbxs.map(({ name, sipAddress }) => `${name} at ${sipAddress.host}:${sipAddress.port}`).join(', ');
  const first = pbxs[0]?.sipAddress;
  return `
Call it yourself: 100 echo, 200 parrot (says back what you said), 300 menu (press 1, 2 or 0)${provider === 'local' ? ', 400 a bot to talk with' : ''}

  softphone on this machine: no registration and no password; UDP, codec PCMU or PCMA, DTMF by RFC 4733
    ${phones}; dial for example sip:200@${first?.host}:${first?.port}
  sipp, one call of five seconds:
    sipp -sn uac -s 100 -d 5000 -m 1 ${first?.host}:${first?.port}

Look inside:
  configuration   ${configFile}
  events          nats -s ${nats.url} sub 'cf.call.>'
  call records    nats -s ${nats.url} stream view CDRS
  leases          redis-cli -u ${redis.url} keys 'cf:*'
  doctor          ./callfleet doctor --config ${configFile}

Ctrl-C stops everything.`;
}

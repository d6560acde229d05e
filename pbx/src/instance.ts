import { createHash } from 'node:crypto';
import type { Config, PbxConfig } from '@callfleet/config';
import type { ConfPart } from './conf-file.ts';

const RTP_FIRST = 10_000;
const RTP_LAST = 19_999;

/**
 * The id that an Asterisk puts on its events. Its default is the MAC address of a network card, which clones and
 * containers share; this one follows from the PBX's name, locally administered so that it is no card's.
 */
export function entityIdFor(pbxName: string): string {
  const hash = createHash('sha256').update(`callfleet entityid ${pbxName}`).digest('hex');
  return ['02', ...(hash.slice(0, 10).match(/../g) ?? [])].join(':');
}

export function optionLines({ name }: Pick<PbxConfig, 'name'>): string[] {
  return [
    '; Both must differ between PBXs. They are read at start only: core restart when convenient.',
    `systemname = ${name}   ; the first part of every channel id`,
    `entityid = ${entityIdFor(name)}   ; in every event; the default is the MAC address, which clones share`,
    '; A call with a media leg takes about eight file descriptors.',
    'maxfiles = 65000',
  ];
}

export function asteriskConf(pbx: PbxConfig): ConfPart {
  return { title: 'asterisk.conf', text: ['[options]', ...optionLines(pbx)].join('\n') };
}

export function rtpConf({ relay }: Pick<Config, 'relay'>): ConfPart {
  const { portMin, portMax } = relay.rtp;
  const lines = [
    '[general]',
    '; Two ports for the caller of each call, two more for its media leg if that is RTP: enough for 2500 calls at once.',
    `rtpstart = ${RTP_FIRST}`,
    `rtpend = ${RTP_LAST}`,
    `; A media-relay takes ${portMin} to ${portMax} (relay.rtp in callfleet.yaml): on one machine the two ranges must not meet.`,
  ];
  if (portMin <= RTP_LAST && portMax >= RTP_FIRST)
    lines.push('; THEY MEET: change one of them if a relay runs on this machine.');
  return { title: 'rtp.conf', text: lines.join('\n') };
}

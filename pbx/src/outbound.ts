import type { PbxConfig } from '@callfleet/config';
import { type AriConfOptions, passwordFor } from './ari.ts';
import type { ConfPart } from './conf-file.ts';

/** As whom Asterisk itself carries out what comes over a socket that it has opened. */
const LOCAL_USER = 'callfleet-local';

/** ari.conf of a PBX that dials the gateways: one socket for each shard. */
export function outboundAriConf(pbx: PbxConfig, options: AriConfOptions): ConfPart {
  const lines = [
    '[general]',
    'enabled = yes',
    '; Asterisk closes an event socket (1011) that takes a write no faster than this; its default of 100 ms is too short',
    '; for a burst of calls, and for a long way. Milliseconds.',
    'websocket_write_timeout = 1000',
    '',
    '; What comes over the sockets below is done as this user. Its password is asked for by nobody, and must be plain.',
    `[${LOCAL_USER}]`,
    'type = user',
    'read_only = no                 ; Callfleet answers, plays, bridges and hangs up',
    `password = ${passwordFor(pbx, options)}`,
    'password_format = plain',
    ...pbx.shards.flatMap((shard) => [
      '',
      `[${shard}]`,
      'type = outbound_websocket',
      `websocket_client_id = ${shard}`,
      `apps = ${shard}`,
      `local_ari_user = ${LOCAL_USER}`,
    ]),
  ];
  return { title: 'ari.conf', text: lines.join('\n') };
}

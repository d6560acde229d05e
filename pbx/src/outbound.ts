import type { Config, PbxConfig } from '@callfleet/config';
import { type AriConfOptions, passwordFor } from './ari.ts';
import { type ConfPart, confValue } from './conf-file.ts';

/** As whom Asterisk itself carries out what comes over a socket that it has opened. */
const LOCAL_USER = 'callfleet-local';

/** ari.conf and websocket_client.conf of a PBX that dials the gateways: one socket for each shard. */
export function outboundParts(config: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart[] {
  return [ariConf(pbx, options), websocketClientConf(config, pbx, options)];
}

function ariConf(pbx: PbxConfig, options: AriConfOptions): ConfPart {
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

function websocketClientConf({ gateway: { listen } }: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart {
  const { host = '', port = 0, tls } = listen ?? {};
  const everywhere = host === '0.0.0.0' || host === '::' || host === '';
  const address = everywhere ? '<address of your gateways>' : host.includes(':') ? `[${host}]` : host;
  const security = tls
    ? [
        'tls_enabled = yes',
        'ca_list_file = /etc/ssl/certs/ca-certificates.crt   ; or the certificate of your own authority',
        'verify_server_cert = yes',
        'verify_server_hostname = yes',
      ]
    : ['tls_enabled = no               ; gateway.listen.tls is not set: the password goes over the network as it is'];
  const lines = pbx.shards.flatMap((shard) => [
    `[${shard}]`,
    'type = websocket_client',
    'connection_type = persistent',
    `uri = ${tls ? 'wss' : 'ws'}://${address}:${port}/ari/${pbx.name}/${shard}`,
    'protocols = ari',
    `username = ${confValue(pbx.username)}`,
    `password = ${passwordFor(pbx, options)}`,
    'connection_timeout = 3000      ; milliseconds; its default of 500 is short for TLS over a long way',
    'reconnect_interval = 500       ; milliseconds',
    ...security,
    '',
  ]);
  return { title: 'websocket_client.conf', text: lines.join('\n') };
}

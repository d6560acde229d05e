import { type Config, isClassic, legListeners, type PbxConfig } from '@callfleet/config';
import { type AriConfOptions, passwordFor } from './ari.ts';
import { type ConfPart, confValue } from './conf-file.ts';

/** Where an Asterisk dials. */
interface Target {
  readonly entry: string;
  readonly connection: 'persistent' | 'per_call_config';
  readonly protocol: 'ari' | 'media';
  /** As in the configuration: where we listen. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
  /** Who that is, where `host` does not tell. */
  readonly whose: string;
  readonly withoutTls: string;
}

/** websocket_client.conf of a PBX that dials gateways, relays or both; none where it dials nobody. */
export function websocketClientConf(config: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart[] {
  const targets = [...(isClassic(pbx) ? [] : gateways(config, pbx)), ...relays(config)];
  if (targets.length === 0) return [];
  return [
    { title: 'websocket_client.conf', text: targets.flatMap((target) => entry(target, pbx, options)).join('\n') },
  ];
}

/** One socket for each shard. */
function gateways({ gateway: { listen } }: Config, pbx: PbxConfig): Target[] {
  const { host = '', port = 0, tls } = listen ?? {};
  return pbx.shards.map((shard) => ({
    entry: shard,
    connection: 'persistent',
    protocol: 'ari',
    host,
    port,
    path: `ari/${pbx.name}/${shard}`,
    tls: tls !== undefined,
    whose: 'your gateways',
    withoutTls: 'gateway.listen.tls is not set: the password goes over the network as it is',
  }));
}

/** One entry for each relay, which its legs name. */
function relays(config: Config): Target[] {
  const { host = '', tls } = config.relay.websocket.listen ?? {};
  return legListeners(config).map(({ client, port }) => ({
    entry: client,
    connection: 'per_call_config',
    protocol: 'media',
    host,
    port,
    path: 'media',
    tls: tls !== undefined,
    whose: 'this relay',
    withoutTls: 'relay.websocket.listen.tls is not set: password and audio go over the network as they are',
  }));
}

function entry(target: Target, pbx: PbxConfig, options: AriConfOptions): string[] {
  const { host, port, tls, path } = target;
  const everywhere = host === '0.0.0.0' || host === '::' || host === '';
  const address = everywhere ? `<address of ${target.whose}>` : host.includes(':') ? `[${host}]` : host;
  const security = tls
    ? [
        'tls_enabled = yes',
        'ca_list_file = /etc/ssl/certs/ca-certificates.crt   ; or the certificate of your own authority',
        'verify_server_cert = yes',
        'verify_server_hostname = yes',
      ]
    : [`tls_enabled = no               ; ${target.withoutTls}`];
  const patience =
    target.connection === 'persistent'
      ? [
          'connection_timeout = 3000      ; milliseconds; its default of 500 is short for TLS over a long way',
          'reconnect_interval = 500       ; milliseconds',
        ]
      : [
          'connection_timeout = 1000      ; milliseconds; the caller waits',
          'reconnect_interval = 100       ; milliseconds',
          'reconnect_attempts = 2         ; then the leg fails',
        ];
  return [
    `[${target.entry}]`,
    'type = websocket_client',
    `connection_type = ${target.connection}`,
    `uri = ${tls ? 'wss' : 'ws'}://${address}:${port}/${path}`,
    `protocols = ${target.protocol}`,
    `username = ${confValue(pbx.username)}`,
    `password = ${passwordFor(pbx, options)}`,
    ...patience,
    ...security,
    '',
  ];
}

import type { PbxConfig } from '@callfleet/config';
import type { ConfPart } from './conf-file.ts';

/** Where Asterisk's HTTP server must listen for `pbxs[].url` to reach it. */
interface HttpAddress {
  readonly tls: boolean;
  readonly port: number;
  /** http.conf's `prefix`, without slashes; empty: none. */
  readonly prefix: string;
  readonly bindAddress: string;
}

/** With no url it is for this machine alone. */
export function httpAddressOf({ url = 'http://127.0.0.1:8088' }: Pick<PbxConfig, 'url'>): HttpAddress {
  const { protocol, port, pathname, hostname } = new URL(url);
  const tls = protocol === 'https:';
  return {
    tls,
    port: port === '' ? (tls ? 443 : 80) : Number(port),
    prefix: pathname.replace(/^\/+|\/+$/g, ''),
    bindAddress: bindAddressFor(hostname),
  };
}

function bindAddressFor(hostname: string): string {
  if (hostname === '[::1]') return '::1';
  return hostname === 'localhost' || hostname.startsWith('127.') ? '127.0.0.1' : '0.0.0.0';
}

/** ARI, its event sockets and the audio of chan_websocket all come through this server. */
export function httpConf(pbx: PbxConfig): ConfPart {
  const { tls, port, prefix, bindAddress } = httpAddressOf(pbx);
  const lines = [
    '[general]',
    'enabled = yes',
    ...(tls ? tlsLines(bindAddress, port) : plainLines(bindAddress, port)),
    ...(prefix === '' ? [] : [`prefix = ${prefix}                ; as in the url of ${pbx.name} in callfleet.yaml`]),
    '; Every ARI socket, every kept HTTP connection and every WebSocket media leg is one session. Asterisk closes what is',
    '; above the limit without an answer; its default is 100.',
    'sessionlimit = 2000',
    'session_inactivity = 30000     ; milliseconds',
    'session_keep_alive = 15000     ; milliseconds',
  ];
  return { title: 'http.conf', text: lines.join('\n') };
}

function plainLines(bindAddress: string, port: number): string[] {
  const hint =
    bindAddress === '0.0.0.0'
      ? '; Better one address of the network that Callfleet is on, and a firewall before it: ARI controls every call.'
      : '; This machine alone, since the url in callfleet.yaml is a loopback address.';
  return [
    hint,
    `bindaddr = ${bindAddress}`,
    `bindport = ${port}`,
    '; Plain HTTP shows the ARI password and the audio to the network. For TLS give the PBX an https:// url in',
    '; callfleet.yaml and print this again.',
  ];
}

function tlsLines(bindAddress: string, port: number): string[] {
  return [
    '; Plain HTTP cannot be switched off while TLS is on: keep it on this machine.',
    'bindaddr = 127.0.0.1',
    'bindport = 8088',
    'tlsenable = yes',
    `tlsbindaddr = ${bindAddress}:${port}`,
    'tlscertfile = /etc/asterisk/keys/callfleet.crt     ; must name the host of the url in callfleet.yaml',
    'tlsprivatekey = /etc/asterisk/keys/callfleet.key   ; readable for the user that Asterisk runs as',
    '; A private authority: give Callfleet its certificate with NODE_EXTRA_CA_CERTS=/path/ca.pem.',
  ];
}

import { loadConfig } from '@callfleet/config';
import { outboundAriConf, websocketClientConf } from '@callfleet/pbx';

export interface Dialling {
  readonly port: number;
  readonly shards: readonly string[];
  /** Shown to the gateway. Default `dials-in`. */
  readonly password?: string;
  /** PEM, of the authority that the gateway's certificate is from: dials with TLS. */
  readonly ca?: string;
}

/** The entry of such a PBX in callfleet.yaml. */
export function diallingEntry({ shards, password = 'dials-in' }: Dialling) {
  return { name: 'pbx-a', mode: 'outbound', username: 'pbx-a', password, shards, zone: 'pbx-a' };
}

/** What `pbx-config` prints for an Asterisk that dials us on this machine, and the testkit's own ARI user. */
export function diallingFiles(dialling: Dialling): Record<string, string> {
  const listen = {
    // Asterisk finds no IP address in a certificate.
    host: 'localhost',
    port: dialling.port,
    ...(dialling.ca && { tls: { certFile: '-', keyFile: '-' } }),
  };
  const config = loadConfig({
    env: {
      CALLFLEET_PBXS: JSON.stringify([diallingEntry(dialling)]),
      CALLFLEET_GATEWAY__LISTEN: JSON.stringify(listen),
    },
  });
  const [pbx] = config.pbxs;
  if (!pbx) throw new Error('no PBX');
  const secrets = { showSecrets: true };
  const files = Object.fromEntries(
    [outboundAriConf(pbx, secrets), ...websocketClientConf(config, pbx, secrets)].map(({ title, text }) => [
      title,
      text.replace('/etc/ssl/certs/ca-certificates.crt', '{etc}/ca.pem'),
    ]),
  );
  return {
    ...files,
    ...(dialling.ca !== undefined && { 'ca.pem': dialling.ca }),
    'ari.conf': `${files['ari.conf']}\n[callfleet]\ntype = user\nread_only = no\npassword = callfleet\n`,
  };
}

interface Where {
  /** `10.0.0.5:8088` */
  readonly host: string;
  readonly hostname: string;
}

/** Why a connection could not be made, in plain words, from the system's or OpenSSL's code; undefined for an unknown one. */
export function reasonOf(error: unknown, { host, hostname }: Where): { found: string; mend: string } | undefined {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return {
        found: `${host} refuses the connection: nothing listens there`,
        mend: 'start the server; check the port, and the address that it binds to',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        found: `the name ${hostname} has no address (DNS: ${code})`,
        mend: 'check the spelling, and the DNS of this machine: getent hosts NAME',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return {
        found: `there is no route to ${host} (${code})`,
        mend: 'check network, VPN and firewall of this machine',
      };
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return {
        found: `${host} does not answer in time`,
        mend: 'a firewall that drops packets, or a wrong address',
      };
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return {
        found: `${host} does not speak TLS (${code})`,
        mend: 'use the port for TLS, or a url without it',
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return { found: `the certificate of ${host} is out of date (${code})`, mend: 'renew it; check the clocks' };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        found: `the certificate of ${host} does not name ${hostname}`,
        mend: 'use a name that is in the certificate, or have one made for this name',
      };
    default:
      return /CERT|SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO/.test(code)
        ? {
            found: `the certificate of ${host} is of an authority that is not trusted here (${code})`,
            mend: "give the authority's certificate to Callfleet: NODE_EXTRA_CA_CERTS=/path/ca.pem",
          }
        : undefined;
  }
}

/** The innermost code: libraries wrap the system's error. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const inner = codeOf(error.cause);
  return inner !== '' || !('code' in error) ? inner : String(error.code);
}

/** Where an Asterisk is, and as whom we speak to it. */
export interface AriAccount {
  /** Scheme, host, port and http.conf's prefix if it has one: `http://10.0.0.5:8088`. No credentials in it. */
  readonly url: string;
  /** A user of ari.conf. */
  readonly username: string;
  readonly password: string;
  /** Certificates of the authority to trust, PEM, for an Asterisk with a private one. Default: those of Node. */
  readonly ca?: string | undefined;
}

export interface AriAddress {
  /** `http://10.0.0.5:8088`, for messages and logs. */
  readonly url: string;
  /** Scheme, host, port. */
  readonly origin: string;
  /** `/ari/`, after http.conf's prefix. */
  readonly basePath: string;
  /** Credentials travel in this header and never in a URL, since URLs are logged. */
  readonly authorization: string;
}

/** @throws TypeError when the url is none, is not http or https, or holds credentials */
export function ariAddress({ url, username, password }: AriAccount): AriAddress {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new TypeError('the url of an Asterisk is like http://host:8088 or https://host:8089');
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError(`the url ${parsed.host} must hold no credentials: give username and password`);
  const prefix = parsed.pathname.replace(/\/+$/, '');
  return {
    url: `${parsed.origin}${prefix}`,
    origin: parsed.origin,
    basePath: `${prefix}/ari/`,
    authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  };
}

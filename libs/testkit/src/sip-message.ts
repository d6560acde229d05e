/** What is to be known of one SIP message (RFC 3261) without understanding all of it. */
export interface SipMessage {
  /** Of a request: its method. */
  readonly method?: string;
  /** Of a response: its code. */
  readonly status?: number;
  /** Of a response: its phrase. */
  readonly reason?: string;
  /** What request it belongs to. */
  readonly cseqMethod: string;
  readonly body: string;
  header(name: string): string | undefined;
  /** All values of a header that may be there more than once, in order. */
  headers(name: string): string[];
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Undefined where it is no SIP message. */
export function parseSip(datagram: Uint8Array): SipMessage | undefined {
  const text = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).toString('utf8');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = (name: string) =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 1).trim());
  const header = (name: string) => headers(name)[0];
  const cseqMethod = header('CSeq')?.split(/\s+/)[1] ?? '';
  const common = { cseqMethod, body: text.slice(headEnd + 4), header, headers };

  const response = /^SIP\/2\.0 (\d{3}) (.*)$/.exec(first);
  if (response) return { ...common, status: Number(response[1]), reason: response[2] ?? '' };
  const request = /^([A-Z]+) \S+ SIP\/2\.0$/.exec(first);
  return request?.[1] ? { ...common, method: request[1] } : undefined;
}

/**
 * Where the sender of a session description (RFC 8866) wants to have its audio; undefined where it wants none, as one does
 * who puts a call on hold.
 */
export function audioAddress(sdp: string): Address | undefined {
  if (/^a=(sendonly|inactive)\s*$/m.test(sdp)) return undefined;
  const media = /^m=audio (\d+) [\s\S]*/m.exec(sdp);
  const port = Number(media?.[1] ?? 0);
  const line = /^c=IN IP4 (\S+)/m;
  const host = (line.exec(media?.[0] ?? '') ?? line.exec(sdp))?.[1];
  return port > 0 && host ? { host, port } : undefined;
}

/** Who a From or To header names. What the header does not tell is ''. */
export function partyOf(header: string): { number: string; name: string } {
  const [, quoted, plain = '', user = ''] =
    /^(?:"((?:[^"\\]|\\.)*)"|([^"<]*?))\s*<?sips?:(?:([^@>;]*)@)?/.exec(header) ?? [];
  return { number: user, name: quoted?.replaceAll(/\\(.)/g, '$1') ?? plain };
}

/** The URI of a header that names an address, `Contact: "A" <sip:a@host>;q=1`, without what is around it. */
export function uriOf(header: string): string {
  return /<([^>]*)>/.exec(header)?.[1] ?? header.split(';')[0] ?? '';
}

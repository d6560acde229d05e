import type { SipMessage } from './sip-message.ts';

export interface SipAnswer {
  readonly status: number;
  readonly reason: string;
  /** Of the callee's own making; 100 has none. */
  readonly tag?: string;
  /** Where requests of the dialog are to go, `sip:...`. */
  readonly contact?: string;
  /** A session description. */
  readonly sdp?: string;
}

/** What a callee understands. */
const ALLOWED = 'INVITE, ACK, BYE, CANCEL, OPTIONS';

/** The response to a request (RFC 3261, section 8.2.6). */
export function sipAnswer(request: SipMessage, { status, reason, tag, contact, sdp }: SipAnswer): Buffer {
  const to = request.header('To') ?? '';
  return sipText(
    `SIP/2.0 ${status} ${reason}`,
    [
      ...['Via', 'Record-Route'].flatMap((name) => request.headers(name).map((value) => `${name}: ${value}`)),
      `From: ${request.header('From')}`,
      `To: ${tag && !to.includes(';tag=') ? `${to};tag=${tag}` : to}`,
      `Call-ID: ${request.header('Call-ID')}`,
      `CSeq: ${request.header('CSeq')}`,
      ...(contact ? [`Contact: <${contact}>`] : []),
      `Allow: ${ALLOWED}`,
    ],
    sdp,
  );
}

/** One SIP message: its first line, its headers but for those of its body, its session description if it has one. */
export function sipText(first: string, headers: readonly string[], sdp = ''): Buffer {
  const body = [...(sdp ? ['Content-Type: application/sdp'] : []), `Content-Length: ${Buffer.byteLength(sdp)}`];
  return Buffer.from(`${[first, ...headers, ...body].join('\r\n')}\r\n\r\n${sdp}`);
}

/**
 * The session description of a callee on this machine: µ-law and digits, as the offer that it answers allows (RFC 3264,
 * section 6.1).
 *
 * @param version rises with each of a call
 */
export function sessionDescription(rtpPort: number, version: number, offer: string): string {
  const offered = /^a=(sendonly|recvonly|inactive)\s*$/m.exec(offer)?.[1];
  const direction = { sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' }[offered ?? ''] ?? 'sendrecv';
  const lines = [
    'v=0',
    `o=phone 1 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    `a=${direction}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

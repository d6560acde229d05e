import { type AriCloseInfo, AriError, AriRefusedError } from '@callfleet/ari';
import { PbxIdentityError } from './pbx-identities.ts';

/** The peer sends what no Asterisk sends. */
export class NotAriError extends Error {
  override readonly name = 'NotAriError';
  readonly code = 'CF_PBX_NOT_ARI';

  constructor() {
    super('it sends frames that are no ARI messages: is something else than an Asterisk at pbxs[].url, or in between?');
  }
}

/**
 * Why a PBX's shard is not connected, for who runs the fleet: what it is, and which field mends it. It goes where addresses do not
 * belong; those are in the log.
 */
export function whyAway(error: unknown): string {
  if (error instanceof PbxIdentityError || error instanceof NotAriError) return error.message;
  if (error instanceof AriRefusedError)
    return error.status === 403
      ? 'its ARI user may not write: read_only=no in ari.conf, or another pbxs[].username'
      : `it refuses ${error.method} ${error.route}: ${error.status} ${error.refusal}`;
  if (!(error instanceof AriError)) return 'an unexpected failure: see shard.unreachable in the log';
  switch (error.code) {
    case 'CF_ARI_UNAUTHORIZED':
      return 'it refuses the user or the password: mend pbxs[].username and pbxs[].password, or ari.conf';
    case 'CF_ARI_NOT_FOUND':
      return 'there is no ARI at pbxs[].url: mend the url (a prefix of http.conf belongs into it), or enable ARI in ari.conf';
    case 'CF_ARI_UNEXPECTED':
      return 'what answers at pbxs[].url is no Asterisk: mend the url';
    case 'CF_ARI_TLS':
      return 'TLS fails: mend pbxs[].url (port, name in the certificate), or give its authority with NODE_EXTRA_CA_CERTS';
    case 'CF_ARI_UNREACHABLE':
      return 'no connection to pbxs[].url: is it running? Else mend the url';
    case 'CF_ARI_TIMEOUT':
      return 'no answer in time from pbxs[].url: does it hang, or does a firewall drop packets? Else mend the url';
    case 'CF_ARI_CLOSED':
      return 'it closes connections without an answer: sessionlimit in http.conf, or https:// in pbxs[].url';
    case 'CF_ARI_NOT_READY':
      return 'it is starting or shutting down';
    case 'CF_ARI_BUSY':
    case 'CF_ARI_TOO_LARGE':
      return `its requests do not get through (${error.code})`;
    case 'CF_ARI_REFUSED':
      return 'it refuses requests';
  }
}

/** The same, of an event socket that stood. */
export function whyLost({ by, code, error }: AriCloseInfo): string {
  if (by === 'silence') return 'its event socket was silent: it hangs, or the network is cut';
  if (by === 'peer') return `it closed the event socket (${code})`;
  if ((error as { code?: unknown } | undefined)?.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return 'it sent a frame that is too large: is something else than an Asterisk at pbxs[].url?';
  return 'its event socket broke';
}

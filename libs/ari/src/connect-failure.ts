import {
  type AriError,
  AriNotFoundError,
  AriNotReadyError,
  AriTimeoutError,
  AriTlsError,
  AriUnauthorizedError,
  AriUnexpectedError,
  AriUnreachableError,
} from './errors.ts';

const TLS = /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/;

/** The error for a connection that could not be made; undefined if it was made and broke later. */
export function neverConnected(cause: unknown, url: string): AriError | undefined {
  const code = codeOf(cause);
  if (TLS.test(code))
    return new AriTlsError(`TLS with ${url} fails (${code}): check its certificate, the host name, and ca`, {
      url,
      cause,
    });
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return connectTimeout(url, cause);
  if (failedToConnect(cause))
    return new AriUnreachableError(`Asterisk at ${url} cannot be reached (${code})`, { url, cause });
  return undefined;
}

export function connectTimeout(url: string, cause?: unknown): AriTimeoutError {
  return new AriTimeoutError(`Asterisk at ${url} does not answer in time`, { url, cause });
}

/** The error for what is no HTTP, or no WebSocket: something else listens there. Undefined for a connection that just ended. */
export function notHttp(cause: unknown, url: string, mayHaveRun: boolean): AriError | undefined {
  const isNonsense =
    /^(HPE_|UND_ERR_HEADERS_OVERFLOW$)/.test(codeOf(cause)) ||
    (cause instanceof Error &&
      (cause.name === 'HTTPParserError' || cause.message.startsWith('Invalid Sec-WebSocket-')));
  if (!isNonsense) return undefined;
  return new AriUnexpectedError(`${url} does not speak HTTP as an Asterisk does: check host and port`, {
    url,
    mayHaveRun,
    cause,
  });
}

/** The error for an HTTP answer that shows that no request can succeed here; undefined for an answer of ARI itself. */
export function notAri(status: number, contentType: string | undefined, url: string): AriError | undefined {
  if (status === 401)
    return new AriUnauthorizedError(`Asterisk at ${url} refuses the user or the password: compare with ari.conf`, {
      url,
    });
  // ARI's own refusals are JSON; a page is its HTTP server's, or another's.
  const isAri = contentType?.startsWith('application/json') === true;
  // Nor does it ever redirect, or succeed with a page.
  const isPage = contentType?.startsWith('text/html') === true;
  if ((status === 404 && !isAri) || (status >= 300 && status < 400) || (status < 300 && isPage))
    return new AriNotFoundError(`${url} has no ARI: is it Asterisk, is ari.conf enabled, has http.conf a prefix?`, {
      url,
    });
  if (status === 503)
    return new AriNotReadyError(`Asterisk at ${url} is not ready: it is starting or shutting down`, { url });
  return undefined;
}

/** The error for an answer to the upgrade other than 101. */
export function upgradeRefused(status: number, contentType: string | undefined, url: string): AriError {
  if (status === 403) return new AriUnauthorizedError(`Asterisk at ${url} forbids this user its event socket`, { url });
  // On this path even a JSON 404 means that there is no event socket: res_http_websocket is not loaded.
  return (
    notAri(status, status === 404 ? undefined : contentType, url) ??
    new AriUnexpectedError(`${url} answers ${status} where the event socket should open`, { url })
  );
}

/** By the system call and not the code: ETIMEDOUT and EHOSTUNREACH also end connections that carried a request. */
function failedToConnect(error: unknown): boolean {
  // Several addresses of one name were tried, and all failed.
  if (error instanceof AggregateError) return error.errors.every(failedToConnect);
  if (typeof error !== 'object' || error === null || !('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}

export type AriErrorCode =
  | 'CF_ARI_UNREACHABLE'
  | 'CF_ARI_UNAUTHORIZED'
  | 'CF_ARI_NOT_FOUND'
  | 'CF_ARI_NOT_READY'
  | 'CF_ARI_TLS'
  | 'CF_ARI_TIMEOUT'
  | 'CF_ARI_CLOSED'
  | 'CF_ARI_BUSY'
  | 'CF_ARI_TOO_LARGE'
  | 'CF_ARI_UNEXPECTED'
  | 'CF_ARI_REFUSED';

/** Whatever goes wrong between us and an Asterisk's ARI. */
export abstract class AriError extends Error {
  abstract readonly code: AriErrorCode;
  /** The Asterisk's address, without credentials. */
  readonly url: string;
  /** False where Asterisk certainly did not execute the request, so that repeating it is safe. */
  readonly mayHaveRun: boolean;

  constructor(message: string, { url, mayHaveRun = false, cause }: AriErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.url = url;
    this.mayHaveRun = mayHaveRun;
  }
}

export interface AriErrorDetails {
  readonly url: string;
  readonly mayHaveRun?: boolean;
  readonly cause?: unknown;
}

/** Nobody answers there: refused, no route, no such host, or the connection was dropped before an answer. */
export class AriUnreachableError extends AriError {
  readonly code = 'CF_ARI_UNREACHABLE';
}

/** 401 or 403: Asterisk does not know this user and password. */
export class AriUnauthorizedError extends AriError {
  readonly code = 'CF_ARI_UNAUTHORIZED';
}

/** There is HTTP at this address, but no ARI: disabled in ari.conf, a prefix in http.conf, or no Asterisk at all. */
export class AriNotFoundError extends AriError {
  readonly code = 'CF_ARI_NOT_FOUND';
}

/** Asterisk is starting ("Asterisk not booted") or shutting down. */
export class AriNotReadyError extends AriError {
  readonly code = 'CF_ARI_NOT_READY';
}

/** The certificate or the TLS handshake is not acceptable. */
export class AriTlsError extends AriError {
  readonly code = 'CF_ARI_TLS';
}

/** No connection, or no answer, within the time limit. */
export class AriTimeoutError extends AriError {
  readonly code = 'CF_ARI_TIMEOUT';
}

/** The connection closed before the answer, or was closed already. */
export class AriClosedError extends AriError {
  readonly code = 'CF_ARI_CLOSED';
}

/** As many requests as allowed are in flight. */
export class AriBusyError extends AriError {
  readonly code = 'CF_ARI_BUSY';
}

/** The request does not fit into one frame of Asterisk's WebSocket: send it over HTTP. */
export class AriTooLargeError extends AriError {
  readonly code = 'CF_ARI_TOO_LARGE';
}

/** An answer that ARI does not give: something else listens there, or stands between. */
export class AriUnexpectedError extends AriError {
  readonly code = 'CF_ARI_UNEXPECTED';
}

interface AriRefusal {
  readonly status: number;
  readonly refusal: string;
  readonly method: string;
  readonly route: string;
  readonly url: string;
}

/** Asterisk answered a request with 4xx or 5xx. */
export class AriRefusedError extends AriError {
  readonly code = 'CF_ARI_REFUSED';
  readonly status: number;
  /** What Asterisk says of it, such as "Channel not found". */
  readonly refusal: string;
  readonly method: string;
  /** A template, fit for logs and metrics. */
  readonly route: string;

  constructor({ status, refusal, method, route, url }: AriRefusal) {
    super(`Asterisk refuses ${method} ${route}: ${status} ${refusal}`, { url, mayHaveRun: status >= 500 });
    this.status = status;
    this.refusal = refusal;
    this.method = method;
    this.route = route;
  }
}

import { errors, Pool } from 'undici';
import { type AriAccount, type AriAddress, ariAddress } from './address.ts';
import { neverConnected, notAri, notHttp } from './connect-failure.ts';
import { AriBusyError, AriClosedError, AriError, AriTimeoutError, AriUnexpectedError } from './errors.ts';
import type { AriRequest } from './request.ts';
import type { AriRequester, AriRequestOptions } from './requester.ts';
import { type AriResponse, ariResponse } from './response.ts';

export interface AriHttpOptions extends AriAccount {
  /** Connections at most; more requests than that wait for one. Default 8. */
  readonly maxConnections?: number | undefined;
  /** Requests in flight and waiting at most. Default 256. */
  readonly maxInFlight?: number | undefined;
  /** Default time limit of a request, waiting for a connection included, milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Time limit of connecting, milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Largest body accepted from Asterisk, bytes. Default 32 MiB: `GET /channels` of a full PBX is megabytes. */
  readonly maxPayload?: number | undefined;
  /** Time that close() grants to requests in flight, milliseconds. Default 2000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** ARI over HTTP with kept connections: for slow requests, binary answers, and versions without REST over the socket. */
export class AriHttp implements AriRequester {
  readonly #address: AriAddress;
  readonly #options: AriHttpOptions;
  readonly #pool: Pool;
  #inFlight = 0;
  #closing: Promise<void> | undefined;

  /** Connects with the first request. */
  constructor(options: AriHttpOptions) {
    this.#options = options;
    this.#address = ariAddress(options);
    const { ca, connectTimeoutMs = 5000, maxConnections = 8 } = options;
    this.#pool = new Pool(this.#address.origin, {
      connections: maxConnections,
      connect: { timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) },
      // One time limit over all, see #answer.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: options.maxPayload ?? 32 * 1024 * 1024,
    });
  }

  /** Requests that wait for their answer now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * @throws AriUnreachableError, AriUnauthorizedError, AriNotFoundError, AriNotReadyError, AriTlsError, AriTimeoutError,
   *   AriClosedError, AriBusyError, AriUnexpectedError
   */
  async request<T>(
    request: AriRequest<T>,
    { timeoutMs = this.#options.requestTimeoutMs ?? 10_000, signal }: AriRequestOptions = {},
  ): Promise<AriResponse<T>> {
    signal?.throwIfAborted();
    const { url } = this.#address;
    const { maxInFlight = 256 } = this.#options;
    if (this.#closing !== undefined) throw new AriClosedError(`this client of ${url} is closed`, { url });
    if (this.#inFlight >= maxInFlight)
      throw new AriBusyError(`${maxInFlight} requests are in flight to ${url}`, { url });
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    const timer = setTimeout(() => controller.abort(this.#timeout(request, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    this.#inFlight++;
    try {
      return await this.#answer(request, controller.signal);
    } catch (error) {
      controller.signal.throwIfAborted();
      throw this.#failure(error);
    } finally {
      this.#inFlight--;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Takes no more requests, lets those in flight finish within `closeTimeoutMs`, then closes the connections. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const isLate = Promise.withResolvers<void>();
    const timer = setTimeout(isLate.resolve, this.#options.closeTimeoutMs ?? 2000);
    await Promise.race([this.#pool.close(), isLate.promise]);
    clearTimeout(timer);
    // Not waited for: a connection that is being made has its own time limit.
    void this.#pool.destroy();
  }

  async #answer<T>(request: AriRequest<T>, signal: AbortSignal): Promise<AriResponse<T>> {
    const { method, path, query, body } = request;
    const { url, basePath, authorization } = this.#address;
    const search = new URLSearchParams(query).toString();
    const response = await this.#pool.request({
      method,
      path: `${basePath}${path}${search === '' ? '' : `?${search}`}`,
      headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    const { statusCode: status, statusText: reason } = response;
    const contentType = response.headers['content-type']?.toString();
    const bytes = await response.body.bytes();
    const failure = notAri(status, contentType, url);
    if (failure !== undefined) throw failure;
    return ariResponse(request, { url, status, reason, body: this.#parse(bytes, contentType) });
  }

  #parse(bytes: Uint8Array, contentType: string | undefined): unknown {
    if (bytes.byteLength === 0) return undefined;
    // A stored recording; anything else is JSON.
    if (contentType?.startsWith('application/json') !== true) return bytes;
    try {
      return JSON.parse(Buffer.from(bytes).toString());
    } catch (cause) {
      const { url } = this.#address;
      throw new AriUnexpectedError(`${url} sent a body that is not JSON`, { url, mayHaveRun: true, cause });
    }
  }

  #timeout({ method, route }: AriRequest<unknown>, timeoutMs: number): AriTimeoutError {
    const { url } = this.#address;
    return new AriTimeoutError(`no answer to ${method} ${route} from ${url} within ${timeoutMs} ms`, {
      url,
      mayHaveRun: true,
    });
  }

  #failure(cause: unknown): unknown {
    const { url } = this.#address;
    if (cause instanceof AriError) return cause;
    if (cause instanceof errors.ResponseExceededMaxSizeError)
      return new AriUnexpectedError(`${url} sent a body that is too long`, { url, mayHaveRun: true, cause });
    return (
      neverConnected(cause, url) ??
      notHttp(cause, url, true) ??
      new AriClosedError(`the connection to ${url} closed before the answer`, { url, mayHaveRun: true, cause })
    );
  }
}

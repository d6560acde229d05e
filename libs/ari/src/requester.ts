import type { AriRequest } from './request.ts';
import type { AriResponse } from './response.ts';

export interface AriRequestOptions {
  /** Time limit of this request, milliseconds. Default: the requester's own. */
  readonly timeoutMs?: number | undefined;
  /** Gives the request up; it then rejects with the signal's reason. Asterisk may execute it nevertheless. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends requests to one Asterisk: over the event socket (AriSocket) or over HTTP (AriHttp). Never repeats one: of what creates under an
 * id of ours only channels, bridges and recordings are refused with 409. A repeated playback plays again, and a repeated
 * `externalMedia` over a WebSocket crashes Asterisk 22.10.1 while the id is in use (measured).
 */
export interface AriRequester {
  /**
   * @returns what Asterisk answered, a refusal included
   * @throws AriError when there is no answer; its `mayHaveRun` tells whether repeating is safe
   */
  request<T>(request: AriRequest<T>, options?: AriRequestOptions): Promise<AriResponse<T>>;
}

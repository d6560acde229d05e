import {
  AriClosedError,
  type AriHttp,
  type AriRequest,
  type AriRequester,
  type AriRequestOptions,
  type AriResponse,
  type AriSocket,
} from '@callfleet/ari';
import { isSlow } from '../commands/slow-command.ts';

/** The ways on which requests reach one PBX: the shard's socket while it stands, and HTTP. */
export class AriWays implements AriRequester {
  readonly #pbx: string;
  readonly #http: AriHttp | undefined;
  #socket: AriSocket | undefined;

  /** @param http none where the PBX dials us */
  constructor(pbx: string, http: AriHttp | undefined) {
    this.#pbx = pbx;
    this.#http = http;
  }

  /** Set while it is open and Asterisk takes requests over it: several times faster than HTTP. */
  set socket(socket: AriSocket | undefined) {
    this.#socket = socket;
  }

  request<T>(request: AriRequest<T>, options?: AriRequestOptions): Promise<AriResponse<T>> {
    return this.#wayOf(request).request(request, options);
  }

  /** For what is large or slow; the socket where there is nothing else. @throws AriClosedError */
  get slow(): AriRequester {
    const way = this.#http ?? this.#socket;
    if (way) return way;
    throw new AriClosedError(`${this.#pbx} has no socket to this gateway`, { url: this.#pbx });
  }

  #wayOf(request: AriRequest<unknown>): AriRequester {
    return this.#socket && !isSlow(request) ? this.#socket : this.slow;
  }

  async close(): Promise<void> {
    await this.#http?.close();
  }
}

import {
  AriClosedError,
  type AriHttp,
  type AriRequest,
  type AriRequester,
  type AriRequestOptions,
  type AriResponse,
  type AriSocket,
} from '@callfleet/ari';
import { isSlow, waitsItsTurn } from '../commands/slow-command.ts';

interface HttpWays {
  readonly http: AriHttp;
  /** For requests that wait for the end of a sound. */
  readonly patient: AriHttp;
}

/** The ways on which requests reach one PBX: the shard's socket while it stands, and HTTP. */
export class AriWays implements AriRequester {
  readonly #pbx: string;
  readonly #ways: HttpWays | undefined;
  #socket: AriSocket | undefined;

  /** @param ways none where the PBX dials us */
  constructor(pbx: string, ways: HttpWays | undefined) {
    this.#pbx = pbx;
    this.#ways = ways;
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
    const way = this.#ways?.http ?? this.#socket;
    if (way) return way;
    throw new AriClosedError(`${this.#pbx} has no socket to this gateway`, { url: this.#pbx });
  }

  #wayOf(request: AriRequest<unknown>): AriRequester {
    if (this.#ways && waitsItsTurn(request)) return this.#ways.patient;
    return this.#socket && !isSlow(request) ? this.#socket : this.slow;
  }

  async close(): Promise<void> {
    await Promise.all([this.#ways?.http.close(), this.#ways?.patient.close()]);
  }
}

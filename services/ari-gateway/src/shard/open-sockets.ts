import {
  AriClosedError,
  type AriRequest,
  type AriRequester,
  type AriRequestOptions,
  type AriResponse,
  type AriSocket,
} from '@callfleet/ari';

/** The sockets that one PBX has opened to us: the only way to ask it anything. */
export class OpenSockets implements AriRequester {
  readonly #pbx: string;
  readonly #sockets = new Set<AriSocket>();

  constructor(pbx: string) {
    this.#pbx = pbx;
  }

  add(socket: AriSocket): void {
    this.#sockets.add(socket);
  }

  delete(socket: AriSocket): void {
    this.#sockets.delete(socket);
  }

  /** Over the one on which the least is under way: Asterisk executes the requests of one socket one after another. */
  async request<T>(request: AriRequest<T>, options?: AriRequestOptions): Promise<AriResponse<T>> {
    const [first] = [...this.#sockets].toSorted((one, other) => one.inFlight - other.inFlight);
    if (!first) throw new AriClosedError(`${this.#pbx} has no socket to this gateway`, { url: this.#pbx });
    return first.request(request, options);
  }
}

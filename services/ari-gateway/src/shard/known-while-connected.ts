import type { KnownAsterisk } from '@callfleet/ari';

/** Who an Asterisk is, as long as one socket to it stands: no other can have come in its place since. */
export class KnownWhileConnected {
  readonly #sockets = new Map<symbol, KnownAsterisk>();

  get asterisk(): KnownAsterisk | undefined {
    const [first] = this.#sockets.values();
    return first;
  }

  /** A socket to it stands. @returns to be called when it does no more */
  connected(asterisk: KnownAsterisk): () => void {
    const socket = Symbol();
    this.#sockets.set(socket, asterisk);
    return () => this.#sockets.delete(socket);
  }
}

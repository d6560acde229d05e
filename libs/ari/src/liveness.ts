/** Sends a ping each interval, and says when a whole interval has brought nothing from the peer, not even the pong. */
export class Liveness {
  readonly #timer: NodeJS.Timeout;
  #heard = true;
  #stopped = false;

  constructor(intervalMs: number, actions: { ping(): void; onSilence(): void }) {
    this.#timer = setInterval(() => {
      // After a stall of our own process the timer fires before the pong, which waits in the socket, is read. So the
      // verdict is given after one more turn of the event loop.
      setImmediate(() => {
        if (this.#stopped) return;
        if (this.#heard) {
          this.#heard = false;
          actions.ping();
        } else actions.onSilence();
      });
    }, intervalMs);
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
